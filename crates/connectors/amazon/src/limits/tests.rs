use super::*;

#[test]
fn no_two_operations_share_a_bucket() {
    for (at, one) in OPERATIONS.iter().enumerate() {
        assert!(OPERATIONS[..at].iter().all(|other| other.id != one.id));
    }
}
