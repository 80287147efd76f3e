//! The quarantine.

use eset_protect::quarantine_management::v1::{
    BatchRestoreQuarantinedObjectsRequest, DownloadQuarantinedObjectsRequest,
    GetQuarantinedObjectsCountRequest, PurgeQuarantinedObjectsRequest, QuarantineFilter,
    QuarantineReason,
};

use crate::over_all_routes;

#[tokio::test]
async fn the_quarantine_is_filtered_downloaded_and_purged() {
    over_all_routes(async |fixture| {
        let objects = fixture.client.quarantined_objects();
        let malware = || {
            Some(QuarantineFilter {
                quarantine_reason: QuarantineReason::Malware.into(),
                ..Default::default()
            })
        };
        let count = async |filter: Option<QuarantineFilter>| {
            let request = GetQuarantinedObjectsCountRequest { filter };
            objects.get_quarantined_objects_count(request).await.expect("a count").object_count
        };
        assert_eq!((count(None).await, count(malware()).await), (3, 2));
        let subject = QuarantineFilter { email_subject: "WON".into(), ..Default::default() };
        assert_eq!(count(Some(subject)).await, 1);
        let request = DownloadQuarantinedObjectsRequest { filter: malware(), ..Default::default() };
        let body = objects.download_quarantined_objects(request).await;
        let body = fixture.note("downloaded", body).expect("an archive");
        assert!(body.content_type == "application/zip" && body.data.starts_with(b"PK"));
        let request = PurgeQuarantinedObjectsRequest { filter: malware(), ..Default::default() };
        fixture.note("purged", objects.purge_quarantined_objects(request).await);
        assert_eq!((count(None).await, count(malware()).await), (1, 0));
        let restore = |uuid: &str| BatchRestoreQuarantinedObjectsRequest {
            object_uuids: vec![uuid.to_owned()],
            ..Default::default()
        };
        let request = restore("9a8a0000-0000-4000-8000-000000000001");
        let gone = objects.batch_restore_quarantined_objects(request).await;
        assert!(fixture.note("gone", gone).is_none());
        let request = restore("9a8a0000-0000-4000-8000-000000000002");
        fixture.note("restored", objects.batch_restore_quarantined_objects(request).await);
        assert_eq!(count(None).await, 0);
    })
    .await;
}
