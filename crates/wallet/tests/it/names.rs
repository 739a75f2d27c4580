//! Names that strangers give themselves.

use realdid_wallet::names::{MAX_NAME, clean};

// test: WVC-32
#[test]
fn a_name_shows_what_it_is_and_changes_nothing_beside_it() {
    for (given, shown) in [
        ("Bank", "Bank"),
        ("唐平霞", "唐平霞"),
        ("  two \t\n words  ", "two words"),
        ("a\u{202e}b\u{2066}c\u{200f}d", "abcd"),
        ("a\u{0}b\u{1b}[31mc\u{9b}d", "ab[31mcd"),
        ("<script>alert(1)</script>", "scriptalert(1)/script"),
        ("in\u{200b}visi\u{ad}ble\u{feff}", "invisible"),
        ("\u{e0041}\u{e000}\u{fffd}", "\u{fffd}"),
        ("\u{202e}\u{200b}", ""),
    ] {
        assert_eq!(clean(given, MAX_NAME), shown, "{given:?}");
    }
}

#[test]
fn a_name_is_bounded() {
    let long = clean(&"é".repeat(500), MAX_NAME);
    assert_eq!(long.chars().count(), MAX_NAME + 1);
    assert!(long.ends_with('…'));
}
