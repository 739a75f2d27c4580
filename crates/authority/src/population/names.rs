//! Names and addresses, put together from parts.

use super::Draw;

const HAN_SURNAMES: [&str; 40] = [
    "王", "李", "张", "刘", "陈", "杨", "黄", "赵", "吴", "周", "徐", "孙", "马", "朱", "胡", "郭", "何",
    "林", "高", "罗", "郑", "梁", "谢", "宋", "唐", "许", "韩", "冯", "邓", "曹", "彭", "曾", "肖", "田",
    "董", "欧阳", "司马", "上官", "诸葛", "慕容",
];
const HAN_GIVEN: [&str; 40] = [
    "伟", "芳", "娜", "敏", "静", "丽", "强", "磊", "军", "洋", "勇", "艳", "杰", "娟", "涛", "明", "超",
    "霞", "平", "刚", "桂英", "志强", "秀兰", "建华", "晓东", "海燕", "子涵", "雨桐", "浩然", "思远", "嘉怡",
    "文博", "天佑", "若曦", "瑾瑜", "宇轩", "欣妍", "梓萱", "国庆", "春梅",
];
const OTHER_GIVEN: [&str; 24] = [
    "Aygül",
    "Dilnur",
    "Erkin",
    "Tursun",
    "Bataar",
    "Sarangerel",
    "Temüjin",
    "Tenzin",
    "Dolma",
    "Pema",
    "Ji-woo",
    "Seo-yeon",
    "Anna",
    "Sofía",
    "João",
    "Zoë",
    "Łukasz",
    "Nguyễn",
    "Fatima",
    "Omar",
    "Anastasia",
    "Søren",
    "Noémie",
    "Kwame",
];
const OTHER_SURNAMES: [&str; 24] = [
    "Abdukerim",
    "Hesen",
    "Yusup",
    "Borjigin",
    "Ganbold",
    "Dorje",
    "Gyatso",
    "Wangchuk",
    "Kim",
    "Park",
    "Müller",
    "García",
    "Silva",
    "O’Neill",
    "Kowalski",
    "Thị Hoa",
    "al-Sayed",
    "Haddad",
    "Petrova",
    "Ångström",
    "Dubois",
    "Mensah",
    "van der Berg",
    "de la Cruz",
];
const CITIES: [&str; 8] = [
    "云溪市",
    "青屿市",
    "长汀镇",
    "望海市",
    "石桥县",
    "白鹭市",
    "松原里市",
    "星湖市",
];
const STREETS: [&str; 10] = [
    "人民路",
    "解放街",
    "中山大道",
    "桂花巷",
    "学府路",
    "江滨路",
    "和平街",
    "文昌路",
    "梧桐街",
    "迎宾大道",
];

/// One in eight has a name in Latin letters.
pub(super) fn name(draw: &mut Draw) -> String {
    if draw.below(8) == 0 {
        format!("{} {}", draw.pick(&OTHER_GIVEN), draw.pick(&OTHER_SURNAMES))
    } else {
        // Two parts of a given name make far more names than there are parts.
        let middle = if draw.below(2) == 0 {
            draw.pick(&HAN_GIVEN[..20])
        } else {
            ""
        };
        format!("{}{middle}{}", draw.pick(&HAN_SURNAMES), draw.pick(&HAN_GIVEN))
    }
}

/// A street and a house in a town that does not exist.
pub(super) fn address(draw: &mut Draw) -> String {
    let (city, street) = (draw.pick(&CITIES), draw.pick(&STREETS));
    format!(
        "{city}{street}{}号{}室",
        1 + draw.below(400),
        101 + draw.below(1900)
    )
}
