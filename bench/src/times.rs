//! How long things took, as quantiles.

use std::time::Duration;

/// Durations of one kind.
#[derive(Default)]
pub struct Times(Vec<Duration>);

impl Times {
    pub fn add(&mut self, time: Duration) {
        self.0.push(time);
    }

    pub fn append(&mut self, mut other: Self) {
        self.0.append(&mut other.0);
    }

    pub fn count(&self) -> usize {
        self.0.len()
    }

    /// The smallest time that this share of all does not exceed, in milliseconds; 0 of none.
    pub fn quantile_ms(&mut self, share: f64) -> f64 {
        self.0.sort_unstable();
        let rank = (share * self.0.len() as f64).ceil() as usize;
        let time = self.0.get(rank.max(1) - 1).copied();
        time.unwrap_or_default().as_secs_f64() * 1000.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles() {
        let mut times = Times::default();
        assert_eq!(times.quantile_ms(0.5), 0.0);
        for ms in (1..=200).rev() {
            times.add(Duration::from_millis(ms));
        }
        assert_eq!(times.quantile_ms(0.5), 100.0);
        assert_eq!(times.quantile_ms(0.99), 198.0);
        assert_eq!(times.quantile_ms(1.0), 200.0);
    }
}
