use std::collections::BTreeSet;

use super::*;
use crate::script::answer;

fn selection(fields: &[&str], lists: &[(&str, &[&str])]) -> Selection {
    let set = |paths: &[&str]| -> BTreeSet<String> {
        paths.iter().map(|path| (*path).to_owned()).collect()
    };
    Selection {
        fields: set(fields),
        lists: lists
            .iter()
            .map(|(list, paths)| ((*list).to_owned(), set(paths)))
            .collect(),
    }
}

#[test]
fn only_what_is_read_is_asked_for() {
    for (select, sets) in [
        (
            selection(&["orderId", "salesChannel.marketplaceId"], &[]),
            &[][..],
        ),
        (selection(&["buyer.buyerEmail"], &[]), &["BUYER"]),
        (
            selection(&["recipient.deliveryAddress.city"], &[]),
            &["RECIPIENT"],
        ),
        (
            selection(
                &[
                    "fulfillment.fulfillmentStatus",
                    "proceeds.grandTotal.amount",
                ],
                &[(
                    "orderItems",
                    &[
                        "product.sellerSku",
                        "proceeds.proceedsTotal.amount",
                        "tax.x",
                    ],
                )],
            ),
            &["FULFILLMENT", "PROCEEDS", "TAX"],
        ),
        (
            selection(&[], &[("packages", &["trackingNumber"])]),
            &["PACKAGES"],
        ),
        (
            selection(
                &[],
                &[("orderItems.promotion.breakdowns", &["promotionId"])],
            ),
            &["PROMOTION"],
        ),
        (
            selection(
                &["payment.paymentExecutions", "fulfillmentOrders", "buyers"],
                &[],
            ),
            &["FULFILLMENT_ORDERS", "PAYMENT"],
        ),
        (
            selection(&["orderItems.cancellation", "orderItems.expense"], &[]),
            &["CANCELLATION", "EXPENSE"],
        ),
    ] {
        assert_eq!(included(&select), sets, "{select:?}");
    }
}

#[test]
fn pages_are_read_strictly() {
    let page = read_page(&answer(
        200,
        r#"{"orders":[{}],"pagination":{"nextToken":"t"}}"#,
    ))
    .unwrap();
    assert_eq!((page.orders.len(), page.next.as_deref()), (1, Some("t")));
    for body in [
        r#"{"orders":[]}"#,
        r#"{"orders":[],"pagination":{"nextToken":""}}"#,
        r#"{"orders":[],"pagination":null}"#,
    ] {
        assert_eq!(
            read_page(&answer(200, body)).unwrap(),
            Page::default(),
            "{body}"
        );
    }
    for body in [
        "",
        "[]",
        "{}",
        r#"{"orders":{}}"#,
        r#"{"payload":{"Orders":[]}}"#,
    ] {
        assert!(read_page(&answer(200, body)).is_err(), "{body}");
    }
    for body in ["{}", r#"{"order":[]}"#] {
        assert!(read_order(&answer(200, body)).is_err(), "{body}");
    }
}

#[test]
fn times_are_cut_to_milliseconds() {
    let time = Timestamp::from_nanosecond(1_800_000_000_123_999_999).unwrap();
    assert_eq!(moment(time), "2027-01-15T08:00:00.123Z");
}
