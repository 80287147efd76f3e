//! Incidents, and the detections that they are about.

use std::time::Duration;

use eset_protect::Call;
use eset_protect::filter::Member;
use eset_protect::incident_management::v2::{
    CloseIncidentRequest, CreateIncidentCommentRequest, IncidentComment, IncidentResolveReason,
    IncidentStatus, ListDeltaDetectionsRequest, ListDetectionGroupsRequest, ListDetectionsRequest,
    ListIncidentCommentsRequest, ListIncidentsRequest, ReopenIncidentRequest,
    ResolveDetectionGroupRequest, SearchDetectionGroupsRequest,
    UpdateIncidentBasicAttributesRequest,
};
use eset_protect::rpc::detection_groups::SearchDetectionGroups;
use eset_protect::rpc::incidents::ListIncidents;
use eset_protect::wkt::{FieldMask, Timestamp};
use tonic::Code;

use crate::over_all_routes;

const INCIDENT: &str = "19c1de00-0000-4000-8000-000000000001";

#[test]
fn a_time_without_a_text_is_compared_as_the_nearest_with_one() {
    let compared = |seconds, nanos| {
        let time = Timestamp { seconds, nanos };
        ListIncidents::CREATE_TIME.lt(time).to_string()
    };
    for (seconds, nanos, text) in [
        (i64::MAX, 0, "9999-12-31T23:59:59.999999999Z"),
        (i64::MIN, -1, "0001-01-01T00:00:00Z"),
        (0, 1_500_000_000, "1970-01-01T00:00:01.500Z"),
        (0, -1, "1969-12-31T23:59:59.999999999Z"),
    ] {
        assert_eq!(compared(seconds, nanos), format!("createTime < timestamp(\"{text}\")"));
    }
}

#[test]
fn numbers_that_have_no_literal_are_sent_by_name() {
    let cel = Member::<ListIncidents, f64>::new("score", "score");
    let words = Member::<SearchDetectionGroups, f64>::new("score", "score");
    for (value, in_cel, in_words) in [
        (5.0, "5.0", "5.0"),
        (-1e300, "-1e300", "-1e300"),
        (f64::INFINITY, "double(\"Infinity\")", "\"Infinity\""),
        (f64::NEG_INFINITY, "double(\"-Infinity\")", "\"-Infinity\""),
        (f64::NAN, "double(\"NaN\")", "\"NaN\""),
    ] {
        assert_eq!(cel.lt(value).to_string(), format!("score < {in_cel}"));
        assert_eq!(words.lt(value).to_string(), format!("score lt {in_words}"));
    }
}

/// The names of what a list has.
async fn names(list: Call<ListIncidents>) -> Vec<String> {
    let mut items = list.items();
    let mut names = Vec::new();
    while let Some(item) = items.next().await {
        names.push(item.expect("an incident").display_name);
    }
    names
}

#[tokio::test]
async fn incidents_are_closed_and_opened_again() {
    over_all_routes(async |fixture| {
        let incidents = fixture.client.incidents();
        let comments = fixture.client.incident_comments();
        let comment = |text: &str| {
            Some(IncidentComment { text: text.to_owned(), ..IncidentComment::default() })
        };
        let all = ListIncidentCommentsRequest { incident_uuid: INCIDENT.into() };
        let close = CloseIncidentRequest {
            incident_uuid: INCIDENT.into(),
            closure_reason: IncidentResolveReason::TruePositive.into(),
            final_comment: comment("done"),
        };
        let incident = incidents.get_incident(INCIDENT).await.expect("an incident");
        for uuid in &incident.detection_uuids {
            let detection = fixture.client.detections().get_detection(uuid.as_str()).await;
            let device = detection.expect("its detection").device.expect("a device").uuid;
            assert!(incident.device_uuids.contains(&device));
            assert!(fixture.client.devices().get_device(device.as_str()).await.is_ok());
        }
        fixture.note("closed", incidents.close_incident(close.clone()).await);
        assert!(fixture.note("again", incidents.close_incident(close).await).is_none());
        let closed = incidents.get_incident(INCIDENT).await.expect("an incident");
        assert_eq!(closed.status(), IncidentStatus::Closed);
        assert_eq!(closed.resolve_reason(), IncidentResolveReason::TruePositive);
        let listed = comments.list_incident_comments(all.clone()).await.expect("comments").comments;
        assert!(listed.last().is_some_and(|last| last.is_final_comment && last.text == "done"));
        let reopen =
            ReopenIncidentRequest { incident_uuid: INCIDENT.into(), comment: comment("no") };
        fixture.note("reopened", incidents.reopen_incident(reopen.clone()).await);
        assert!(fixture.note("is open", incidents.reopen_incident(reopen).await).is_none());
        let listed = comments.list_incident_comments(all).await;
        let listed = fixture.note("comments", listed).expect("comments").comments;
        assert!(listed.len() == 3 && listed.iter().all(|comment| !comment.is_final_comment));
        // A new one says what it is a comment on.
        let new = CreateIncidentCommentRequest {
            incident_uuid: INCIDENT.into(),
            comment: comment("new"),
        };
        let new = comments.create_incident_comment(new).await.expect("a comment");
        assert_eq!((&*new.incident_uuid, new.create_time), (INCIDENT, new.update_time));
        let update = UpdateIncidentBasicAttributesRequest {
            incident_uuid: INCIDENT.into(),
            display_name: "named".into(),
            description: "not this".into(),
            update_mask: Some(FieldMask { paths: vec!["display_name".into()] }),
            ..Default::default()
        };
        let updated = incidents.update_incident_basic_attributes(update).await;
        let updated = fixture.note("updated", updated).expect("an incident");
        assert_eq!(
            (&*updated.display_name, &updated.description),
            ("named", &incident.description)
        );
        let list = |filter: &str, order_by: &str| {
            let (filter, order_by) = (filter.to_owned(), order_by.to_owned());
            incidents.list_incidents(ListIncidentsRequest { filter, order_by, page_size: 2, ..Default::default() })
        };
        type List = ListIncidents;
        let by_name = List::SEVERITY.ascending().then(List::DISPLAY_NAME.descending());
        let all = names(list("", "").order_by(List::DISPLAY_NAME.descending())).await;
        assert_eq!(all, ["named", "Suspicious activity 3", "Suspicious activity 2"]);
        let third = List::DISPLAY_NAME.contains("3").or(List::UUID.eq("x"));
        let found = third.and(List::CREATE_TIME.le(fixture.now())).and(List::UUID.ne(INCIDENT));
        let found = names(list("", "").filter(found).order_by(by_name)).await;
        assert_eq!(found, ["Suspicious activity 3"]);
        let open = r#"!(status == INCIDENT_STATUS_CLOSED) && (metrics.deviceCount >= 1 || uuid != "") && create_time < timestamp("2999-01-01T00:00:00Z")"#;
        assert_eq!(names(list(open, "")).await.len(), 2);
        let escaped = r#"displayName == "n\x61m\u0065\144" || displayName.contains('\U00000033')"#;
        assert_eq!(names(list(escaped, "")).await.len(), 2);
        for (filter, order, expected) in [
            (r#"displayName == "\q61""#, "", r"expected an escape such as \n, \x61, \u0061 or \141, found \q"),
            (r#"displayName == "\u00+1""#, "", r"found \u00+1"),
            ("displayName == \"a\\", "", "expected an escape"),
            ("", "size", "expected a member of Incident, found \"size\""),
            ("displayNme == \"a\"", "", "did you mean \"displayName\"?"),
            ("status == OPEN", "", "expected the whole name INCIDENT_STATUS_OPEN"),
            ("status == OPN", "", "expected one of INCIDENT_STATUS_UNSPECIFIED"),
            ("createTime > \"soon\"", "", "expected a time"),
            ("displayName.contains(\"a\"", "", "expected `)`"),
            ("displayName eq \"a\"", "", "expected one of == !="),
            ("metrics.devices == 1", "", "expected a member of IncidentMetrics"),
            ("displayName == 'a", "", "expected ' at the end"),
        ] {
            let refused = list(filter, order).await.expect_err(filter);
            assert_eq!(refused.code(), Code::InvalidArgument, "{filter}");
            assert!(refused.message().contains(expected), "{filter}: {refused}");
            fixture.note(expected, Err::<(), _>(refused));
        }
    })
    .await;
}

#[tokio::test]
async fn detections_grow_and_are_resolved() {
    over_all_routes(async |fixture| {
        let detections = fixture.client.detections();
        let delta = async |token: &str| {
            let request = ListDeltaDetectionsRequest { delta_token: token.to_owned() };
            detections.list_delta_detections(request).await.expect("a delta")
        };
        let latest = delta("latest").await;
        assert!(latest.created_detections.is_empty());
        assert!(delta(&latest.next_delta_token).await.created_detections.is_empty());
        let all = async || {
            let mut items = detections.list_detections(ListDetectionsRequest::default()).items();
            let mut times = Vec::new();
            while let Some(item) = items.next().await {
                times.push(item.expect("a detection").occur_time);
            }
            times
        };
        let before = all().await;
        assert!(before.is_sorted() && before.last() <= Some(&Some(fixture.now())));
        fixture.clock.advance(Duration::from_secs(3 * 3600));
        assert_eq!(all().await.len(), before.len() + 3);
        let news = delta(&latest.next_delta_token).await;
        assert_eq!(news.created_detections.len(), 3);
        assert!(delta(&news.next_delta_token).await.created_detections.is_empty());
        let request = ListDetectionsRequest { start_time: before[50], ..Default::default() };
        let since = detections.list_detections(request).await.expect("detections");
        assert_eq!(since.detections.len(), before.len() + 3 - 50);
        let request = ListDeltaDetectionsRequest { delta_token: "no token".into() };
        let refused = detections.list_delta_detections(request).await;
        assert!(fixture.note("no token", refused).is_none());

        let uuid = "de7ec760-0000-4000-8000-000000000001";
        let groups = fixture.client.detection_groups();
        let group = groups.get_detection_group(uuid).await.expect("a group");
        assert!(!group.resolved && group.resolved_count < group.group_size);
        let (detection_group_uuid, note) = (uuid.to_owned(), "known".to_owned());
        let request = ResolveDetectionGroupRequest { detection_group_uuid, note };
        fixture.note("resolved", groups.resolve_detection_group(request).await);
        let group = groups.get_detection_group(uuid).await.expect("a group");
        assert!(group.resolved && group.resolved_count == group.group_size);
        for uuid in &group.detection_occurence_uuids {
            let detection = detections.get_detection(uuid.as_str()).await.expect("a detection");
            assert!(detection.resolved && detection.note == "known");
        }
        type Search = SearchDetectionGroups;
        let search = async |filter| {
            let call = groups.search_detection_groups(SearchDetectionGroupsRequest::default());
            call.filter(filter).await.expect("groups").detection_groups.len()
        };
        let wanted = Search::RESOLVED.eq(true).and(Search::DEVICE_UUID.ne("\"none\""));
        assert_eq!(wanted.to_string(), r#"resolved eq 1 and device.uuid ne "\"none\"""#);
        assert_eq!(search(wanted.clone()).await, 1);
        let all = groups.list_detection_groups(ListDetectionGroupsRequest::default());
        let all = all.await.expect("groups").detection_groups.len();
        assert_eq!(search(wanted.or(Search::GROUP_SIZE.gt(0_u32))).await, all);
        // No such member, and no such number of bytes.
        for filter in ["a eq 1", "objectSizeBytes gt 1.5"] {
            let request =
                SearchDetectionGroupsRequest { filter: filter.into(), ..Default::default() };
            assert!(fixture.note(filter, groups.search_detection_groups(request).await).is_none());
        }
    })
    .await;
}
