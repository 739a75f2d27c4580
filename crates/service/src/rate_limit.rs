//! A token bucket per client, bounded in memory.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

use crate::clock::now_ms;

/// Most clients remembered at once; beyond them, newcomers share one bucket.
const MAX_CLIENTS: usize = 65_536;

#[derive(Debug, Clone, Copy)]
struct Bucket {
    tokens: f64,
    at_ms: u64,
}

/// Who shares a bucket: an IPv4 address, or an IPv6 /64, which one subscriber usually has whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Client {
    V4(u32),
    V6(u64),
    Others,
}

impl From<IpAddr> for Client {
    fn from(address: IpAddr) -> Self {
        match address.to_canonical() {
            IpAddr::V4(address) => Self::V4(address.to_bits()),
            IpAddr::V6(address) => Self::V6(u64::try_from(address.to_bits() >> 64).unwrap_or(0)),
        }
    }
}

/// Lets each client spend `burst` at once and `per_second` in the long run.
#[derive(Debug)]
pub struct RateLimiter {
    per_second: f64,
    burst: f64,
    buckets: Mutex<HashMap<Client, Bucket>>,
}

impl RateLimiter {
    /// A limiter; both numbers count costs, 1 for an ordinary request. A rate of 0 refuses
    /// everything after the burst.
    #[must_use]
    pub fn new(per_second: f64, burst: f64) -> Self {
        Self {
            per_second,
            burst,
            buckets: Mutex::default(),
        }
    }

    /// Takes `cost` from a client's bucket.
    ///
    /// # Errors
    /// The seconds to wait, at least 1, if the bucket does not hold that much.
    pub fn take(&self, client: IpAddr, cost: f64) -> Result<(), u64> {
        self.take_at(client.into(), cost, now_ms())
    }

    fn take_at(&self, client: Client, cost: f64, now: u64) -> Result<(), u64> {
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        if buckets.len() >= MAX_CLIENTS && !buckets.contains_key(&client) {
            buckets.retain(|_, bucket| self.refilled(*bucket, now) < self.burst);
        }
        let client = if buckets.len() < MAX_CLIENTS || buckets.contains_key(&client) {
            client
        } else {
            Client::Others
        };
        let bucket = buckets.entry(client).or_insert(Bucket {
            tokens: self.burst,
            at_ms: now,
        });
        let tokens = self.refilled(*bucket, now);
        if tokens < cost {
            let seconds = ((cost - tokens) / self.per_second).clamp(1.0, 3600.0).ceil();
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "between 1 and 3600"
            )]
            return Err(seconds as u64);
        }
        *bucket = Bucket {
            tokens: tokens - cost,
            at_ms: now,
        };
        Ok(())
    }

    fn refilled(&self, bucket: Bucket, now: u64) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "milliseconds of a pause")]
        let seconds = now.saturating_sub(bucket.at_ms) as f64 / 1000.0;
        (bucket.tokens + seconds * self.per_second).min(self.burst)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_empties_and_refills() {
        let limiter = RateLimiter::new(2.0, 3.0);
        let client = Client::V4(1);
        for _ in 0..3 {
            assert_eq!(limiter.take_at(client, 1.0, 0), Ok(()));
        }
        assert_eq!(limiter.take_at(client, 1.0, 0), Err(1));
        assert_eq!(limiter.take_at(Client::V4(2), 1.0, 0), Ok(()));
        assert_eq!(limiter.take_at(client, 1.0, 500), Ok(()));
        assert_eq!(limiter.take_at(client, 9.0, 500), Err(5));
    }

    #[test]
    fn memory_is_bounded() {
        let limiter = RateLimiter::new(1.0, 1.0);
        for client in 0..70_000 {
            let _ = limiter.take_at(Client::V4(client), 1.0, 0);
        }
        assert!(limiter.buckets.lock().unwrap().len() <= MAX_CLIENTS + 1);
        assert_eq!(limiter.take_at(Client::V4(70_001), 1.0, 60_000), Ok(()));
        assert_eq!(limiter.buckets.lock().unwrap().len(), 1);
    }
}
