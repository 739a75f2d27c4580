//! Days of the Gregorian calendar, counted from the first of a year.

const fn is_leap(year: u64) -> bool {
    year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
}

const fn days_in_year(year: u64) -> u64 {
    if is_leap(year) { 366 } else { 365 }
}

const fn days_in_month(year: u64, month: u64) -> u64 {
    match month {
        2 if is_leap(year) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days from the first of one year to the first of another.
pub(super) const fn days_from(first: u64, end: u64) -> u64 {
    let (mut year, mut days) = (first, 0);
    while year < end {
        days += days_in_year(year);
        year += 1;
    }
    days
}

/// Year, month and day of the date so many days after the first of `first`.
pub(super) const fn date(first: u64, days: u64) -> (u64, u64, u64) {
    let (mut year, mut month, mut left) = (first, 1, days);
    while left >= days_in_year(year) {
        left -= days_in_year(year);
        year += 1;
    }
    while left >= days_in_month(year, month) {
        left -= days_in_month(year, month);
        month += 1;
    }
    (year, month, left + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn leap_days_are_counted() {
        assert_eq!(date(1940, 59), (1940, 2, 29));
        assert_eq!(date(1940, 60), (1940, 3, 1));
        assert_eq!(date(1999, 365 + 59), (2000, 2, 29));
        assert_eq!(date(1940, days_from(1940, 2007) - 1), (2006, 12, 31));
    }
}
