//! The form of identity numbers: GB 11643-1999 with the check digit of ISO 7064, MOD 11-2.

/// A region code that GB/T 2260 does not assign: no real number begins like this.
pub const REGION: &str = "999999";

const WEIGHTS: [u32; 17] = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
const CHECK_DIGITS: [char; 11] = ['1', '0', 'X', '9', '8', '7', '6', '5', '4', '3', '2'];

/// The check digit after 17 digits; `None` for anything but 17 digits.
#[must_use]
pub fn check_digit(digits: &str) -> Option<char> {
    if digits.len() != WEIGHTS.len() {
        return None;
    }
    let mut sum = 0;
    for (digit, weight) in digits.chars().zip(WEIGHTS) {
        sum += digit.to_digit(10)? * weight;
    }
    CHECK_DIGITS.get(usize::try_from(sum % 11).ok()?).copied()
}

/// Whether a text is 17 digits and their check digit.
#[must_use]
pub fn is_valid(number: &str) -> bool {
    let mut digits = number.chars();
    let last = digits.next_back();
    last.is_some() && check_digit(digits.as_str()) == last
}

/// 17 digits and their check digit.
pub(super) fn with_check_digit(digits: &str) -> String {
    digits.chars().chain(check_digit(digits)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_standards_own_examples() {
        // GB 11643-1999, the two examples of its annex.
        assert!(is_valid("11010519491231002X"));
        assert!(is_valid("440524188001010014"));
        assert!(!is_valid("440524188001010015"));
        assert!(!is_valid("44052418800101001") && !is_valid("") && !is_valid("44052418800101001é"));
    }
}
