//! gRPC codes and HTTP statuses (FACTS.md#errors).

use eset_protect::transcode::{code_from_http, http_from_code};
use tonic::Code;

#[test]
fn every_code_has_a_status_and_every_status_a_code() {
    // The code, ESET's status for it, and the code for that status in the reverse direction.
    let table = [
        // Exact: no other code has the status.
        (Code::Ok, 200, Code::Ok),
        (Code::Cancelled, 499, Code::Cancelled),
        (Code::DeadlineExceeded, 504, Code::DeadlineExceeded),
        (Code::NotFound, 404, Code::NotFound),
        (Code::PermissionDenied, 403, Code::PermissionDenied),
        (Code::Unauthenticated, 401, Code::Unauthenticated),
        (Code::ResourceExhausted, 429, Code::ResourceExhausted),
        (Code::Unimplemented, 501, Code::Unimplemented),
        (Code::Unavailable, 503, Code::Unavailable),
        // Inferred: several codes share the status, and one represents all of them.
        (Code::InvalidArgument, 400, Code::InvalidArgument),
        (Code::FailedPrecondition, 400, Code::InvalidArgument),
        (Code::OutOfRange, 400, Code::InvalidArgument),
        (Code::Aborted, 409, Code::Aborted),
        (Code::AlreadyExists, 409, Code::Aborted),
        (Code::Internal, 500, Code::Internal),
        (Code::Unknown, 500, Code::Internal),
        (Code::DataLoss, 500, Code::Internal),
    ];
    for number in 0..=16 {
        let code = Code::from(number);
        assert_eq!(table.iter().filter(|(listed, ..)| *listed == code).count(), 1, "{code:?}");
    }
    for (index, (code, status, back)) in table.into_iter().enumerate() {
        assert_eq!(http_from_code(code), status, "{code:?}");
        assert_eq!(code_from_http(status), back, "{status}");
        let alone = table.iter().filter(|(_, other, _)| *other == status).count() == 1;
        assert_eq!(alone, index < 9, "{code:?}");
        assert!(!alone || code == back);
    }
}

#[test]
fn statuses_that_no_code_has_are_taken_for_the_nearest() {
    for (statuses, code) in [
        (&[200, 201, 202, 204, 206][..], Code::Ok),
        (&[405, 406, 411, 413, 414, 415, 422], Code::InvalidArgument),
        (&[408], Code::DeadlineExceeded),
        (&[410], Code::NotFound),
        // A rank that is too high (FACTS.md#policy-management).
        (&[412], Code::FailedPrecondition),
        (&[502], Code::Unavailable),
        (&[0, 100, 301, 302, 304, 418, 505, 599, 1000, u16::MAX], Code::Unknown),
    ] {
        for status in statuses {
            assert_eq!(code_from_http(*status), code, "{status}");
        }
    }
}
