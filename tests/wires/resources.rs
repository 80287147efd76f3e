//! Resources of services that the crate does not have: the emulator serves them by their descriptors.

use std::path::Path;
use std::time::Duration;

use added_service::client::{Jars, Parcels};
use added_service::proto::example::pantry::v1::{Jar, Label, ListJarsRequest};
use added_service::proto::example::warehouse::v1::{
    Address, BatchGetParcelsRequest, CreateStampRequest, ForwardParcelRequest, GetStampRequest,
    ListParcelsRequest, ListStampsRequest, Parcel, ParcelFilter, Period, Size, Stamp,
    UpdateParcelRequest,
};
use added_service::server::AllServices;

use eset_protect::emulator::{Builder, Emulator, EmulatorError};
use eset_protect::wkt::{Empty, FieldMask};
use tonic::Code;

use crate::support::directory::Directory;
use crate::{Fixture, ROUTES, over_all_routes_with};

/// All that it takes to serve a resource: its services, and what is there at the start.
fn hosting(builder: Builder) -> Builder {
    builder.services(AllServices).resource(&parcel("seeded"))
}

fn parcel(name: &str) -> Parcel {
    Parcel { display_name: name.to_owned(), ..Parcel::default() }
}

fn parcels(fixture: &Fixture) -> Parcels {
    Parcels::new(fixture.client.clone())
}

async fn names(fixture: &Fixture, request: ListParcelsRequest) -> String {
    match parcels(fixture).list_parcels(request).await {
        Ok(page) => {
            let names: Vec<_> = page.parcels.iter().map(|found| &*found.display_name).collect();
            names.join(" ")
        }
        Err(error) => format!("{} {}", eset_protect::code_name(error.code()), error.message()),
    }
}

#[tokio::test]
async fn a_resource_lives_by_its_descriptors_alone() {
    over_all_routes_with(hosting, async |fixture| {
        let parcels = parcels(fixture);
        let now = fixture.now();
        let sent = Parcel {
            uuid: "mine".into(),
            version_id: 7,
            address: Some(Address { city: "Brno".into(), ..Address::default() }),
            ..parcel("books")
        };
        let made = parcels.create_parcel(sent).await;
        let made = fixture.note("created", made).expect("a parcel");
        assert_ne!(made.uuid, "mine");
        assert_eq!((made.version_id, made.create_time), (1, Some(now)));
        let got = parcels.get_parcel(made.uuid.as_str()).await;
        assert_eq!(fixture.note("got", got).as_ref(), Some(&made));

        fixture.clock.advance(Duration::from_secs(5));
        let request =
            ForwardParcelRequest { parcel_uuid: made.uuid.clone(), carrier: "post".into() };
        fixture.note("forwarded", parcels.forward_parcel(request).await);
        let update = |change: Parcel, paths: &[&str]| UpdateParcelRequest {
            parcel: Some(Parcel { uuid: made.uuid.clone(), ..change }),
            update_mask: Some(FieldMask { paths: paths.iter().map(|&path| path.into()).collect() }),
        };
        let changed = parcels.update_parcel(update(parcel("more books"), &[])).await;
        fixture.note("changed", changed);
        let got = parcels.get_parcel(made.uuid.as_str()).await.expect("a parcel");
        assert_eq!((&*got.carrier, &*got.display_name, got.version_id), ("post", "more books", 3));
        assert_eq!((got.update_time, got.address), (Some(fixture.now()), made.address.clone()));
        let cleared = parcels.update_parcel(update(Parcel::default(), &["carrier"])).await;
        let cleared = fixture.note("cleared", cleared);
        assert_eq!(cleared.expect("a parcel").carrier, "");
        let large = Parcel { size: Size::Large.into(), ..Parcel::default() };
        let resized = parcels.update_parcel(update(large, &["size"])).await;
        assert!(fixture.note("immutable", resized).is_none());
        let coloured = parcels.update_parcel(update(parcel(""), &["colour"])).await;
        assert!(fixture.note("no field", coloured).is_none());
        let nameless = parcels.update_parcel(update(parcel(""), &["display_name"])).await;
        assert!(fixture.note("required", nameless).is_none());

        let twice = BatchGetParcelsRequest { parcels_uuids: vec![made.uuid.clone(); 2] };
        let once = fixture.note("twice", parcels.batch_get_parcels(twice).await);
        assert_eq!(once.expect("parcels").parcels.len(), 1);
        let one = BatchGetParcelsRequest { parcels_uuids: vec![made.uuid.clone(), "none".into()] };
        assert!(fixture.note("all or none", parcels.batch_get_parcels(one).await).is_none());
        let weighed = parcels.weigh_parcel(made.uuid.as_str()).await;
        assert_eq!(weighed.expect_err("no semantics").code(), Code::Unimplemented);

        assert_eq!(parcels.delete_parcel(made.uuid.as_str()).await.expect("deleted"), Empty {});
        assert!(fixture.note("gone", parcels.delete_parcel(made.uuid.as_str()).await).is_none());
        assert!(fixture.note("none", parcels.get_parcel(made.uuid.as_str()).await).is_none());
        assert_eq!(names(fixture, ListParcelsRequest::default()).await, "seeded");
    })
    .await;
}

#[tokio::test]
async fn a_method_may_return_the_resource_itself() {
    over_all_routes_with(hosting, async |fixture| {
        let jars = Jars::new(fixture.client.clone());
        let label = Label { text: "plums".into(), ..Label::default() };
        let sent = Jar {
            content: "jam".into(),
            labels: vec![label.clone()],
            inner: Some(Box::default()),
            ..Jar::default()
        };
        let made = jars.create_jar(sent.clone()).await;
        let made = fixture.note("created", made).expect("a jar");
        assert_eq!(made, Jar { uuid: made.uuid.clone(), ..sent });
        let got = jars.get_jar(made.uuid.as_str()).await;
        assert_eq!(fixture.note("got", got).as_ref(), Some(&made));
        let change = Jar { content: "honey".into(), ..made.clone() };
        let changed = jars.update_jar(change.clone()).await;
        assert_eq!(fixture.note("changed", changed).as_ref(), Some(&change));

        let second = jars.create_jar(Jar::default()).await.expect("a jar");
        let request = ListJarsRequest { page_size: 1, ..ListJarsRequest::default() };
        let mut listed = jars.list_jars(request).items();
        for jar in [change, second] {
            assert_eq!(listed.next().await.expect("a jar").expect("a jar"), jar);
        }
        assert!(listed.next().await.is_none());
        let gone = jars.delete_jar(made.uuid.as_str()).await;
        assert!(fixture.note("deleted", gone).is_some());
        assert!(fixture.note("gone", jars.get_jar(made.uuid.as_str()).await).is_none());

        // Nothing is known of what else a method answers.
        let receipt = jars.create_label(label).await.expect_err("no semantics");
        assert_eq!(receipt.code(), Code::Unimplemented);
    })
    .await;
}

#[tokio::test]
async fn what_is_wrong_is_named() {
    over_all_routes_with(hosting, async |fixture| {
        let parcels = parcels(fixture);
        fixture.note("nameless", parcels.create_parcel(Parcel::default()).await);
        let nowhere = Parcel { address: Some(Address::default()), ..parcel("a") };
        fixture.note("no city", parcels.create_parcel(nowhere).await);
        fixture.note("two uuids", parcels.get_parcel("a, b").await);
        fixture.note("asked for", parcels.get_parcel("code-14").await);
        let request = ListParcelsRequest { page_token: "x".into(), ..Default::default() };
        fixture.note("token", parcels.list_parcels(request).await);
        for field in ["parcel.display_name", "parcel.address.city", "parcel_uuid", "page_token"] {
            assert!(
                fixture.log.iter().any(|line| line.contains(field)),
                "{field}: {:?}",
                fixture.log
            );
        }
    })
    .await;
}

#[tokio::test]
async fn lists_have_pages_and_filters() {
    over_all_routes_with(hosting, async |fixture| {
        let parcels = parcels(fixture);
        let start = fixture.now();
        let address = |city: &str, street: &str| {
            Some(Address { city: city.to_owned(), street: street.to_owned() })
        };
        for sent in [
            Parcel { carrier: "post".into(), address: address("Brno", "A"), ..parcel("a") },
            Parcel { carrier: "bike".into(), address: address("Brno", "B"), ..parcel("b") },
            Parcel { size: Size::Large.into(), is_fragile: true, ..parcel("c") },
        ] {
            fixture.clock.advance(Duration::from_secs(1));
            parcels.create_parcel(sent).await.expect("a parcel");
        }
        let request = ListParcelsRequest::default;
        let carriers = |carriers: &[&str]| carriers.iter().map(|&name| name.to_owned()).collect();
        let at = |seconds| Some(eset_protect::wkt::Timestamp { seconds, ..start });
        let period = |from: i64, to: i64| {
            let (start_time, end_time) = (at(start.seconds + from), at(start.seconds + to));
            Some(Period { start_time, end_time })
        };
        let filter = |name: &str| Some(ParcelFilter { display_name: name.to_owned() });
        for (expected, request) in [
            ("seeded a b c", request()),
            ("a b", ListParcelsRequest { carriers: carriers(&["bike", "post"]), ..request() }),
            ("", ListParcelsRequest { carriers: carriers(&["ship"]), ..request() }),
            ("c", ListParcelsRequest { size: Size::Large.into(), ..request() }),
            ("c", ListParcelsRequest { is_fragile: Some(true), ..request() }),
            ("seeded a b", ListParcelsRequest { is_fragile: Some(false), ..request() }),
            ("b", ListParcelsRequest { address: address("", "B"), ..request() }),
            ("a b", ListParcelsRequest { address: address("Brno", ""), ..request() }),
            ("a b", ListParcelsRequest { create_time: period(1, 3), ..request() }),
            ("c", ListParcelsRequest { filter: filter("c"), ..request() }),
            ("seeded a b c", ListParcelsRequest { filter: filter(""), ..request() }),
            (
                "b",
                ListParcelsRequest {
                    carriers: carriers(&["bike", "post"]),
                    create_time: period(2, 9),
                    ..request()
                },
            ),
        ] {
            assert_eq!(names(fixture, request.clone()).await, expected, "{request:?}");
        }
        // A filter that is not understood never means everything.
        let request = ListParcelsRequest { near: "Brno".into(), ..request() };
        fixture.say(names(fixture, request).await);
        assert!(fixture.log[0].contains("near"), "{:?}", fixture.log);

        let paged = ListParcelsRequest { page_size: 2, ..Default::default() };
        let mut items = parcels.list_parcels(paged).items();
        while let Some(item) = items.next().await {
            fixture.note("item", item);
        }
        assert_eq!(fixture.log.len(), 1 + 4);
    })
    .await;
}

#[tokio::test]
async fn a_resource_inside_another_one_needs_it() {
    over_all_routes_with(hosting, async |fixture| {
        let parcels = parcels(fixture);
        let (one, other) = (
            parcels.create_parcel(parcel("a")).await.expect("a parcel").uuid,
            parcels.create_parcel(parcel("b")).await.expect("a parcel").uuid,
        );
        let stamp = |parcel_uuid: &str, uuid: &str| CreateStampRequest {
            parcel_uuid: parcel_uuid.to_owned(),
            stamp: Some(Stamp { uuid: uuid.to_owned(), cents: 80 }),
        };
        fixture.note("stamped", parcels.create_stamp(stamp(&one, "blue")).await);
        let again = parcels.create_stamp(stamp(&one, "blue")).await.expect_err("a second one");
        assert!(again.message().contains("already"), "{again:?}");
        fixture.note("on another", parcels.create_stamp(stamp(&other, "blue")).await);
        assert!(
            fixture.note("nowhere", parcels.create_stamp(stamp("none", "blue")).await).is_none()
        );
        let list = |parcel_uuid: &str| ListStampsRequest { parcel_uuid: parcel_uuid.to_owned() };
        fixture.note("all", parcels.list_stamps(list(&one)).await);
        assert!(fixture.note("of none", parcels.list_stamps(list("none")).await).is_none());
        let get = |stamp_uuid: &str| GetStampRequest {
            parcel_uuid: one.clone(),
            stamp_uuid: stamp_uuid.to_owned(),
        };
        fixture.note("blue", parcels.get_stamp(get("blue")).await);
        assert!(fixture.note("red", parcels.get_stamp(get("red")).await).is_none());
    })
    .await;
}

#[tokio::test]
async fn it_is_there_after_a_restart() {
    for route in ROUTES {
        let directory = Directory::new();
        let start = async |directory: &Path| {
            Fixture::start(route, |builder| hosting(builder).data_dir(directory)).await
        };
        let fixture = start(&directory).await;
        let made = parcels(&fixture).create_parcel(parcel("kept")).await.expect("a parcel");
        fixture.emulator.shutdown().await;
        let fixture = start(&directory).await;
        assert_eq!(names(&fixture, ListParcelsRequest::default()).await, "seeded kept");
        let got = parcels(&fixture).get_parcel(made.uuid.as_str()).await;
        assert_eq!(got.expect("a parcel"), made);
    }
}

#[test]
fn a_resource_that_cannot_be_stored_is_told() {
    let taken = Parcel { uuid: "a".into(), ..parcel("a") };
    let [unknown, twice] = [
        Emulator::builder().resource(&parcel("a")),
        Emulator::builder().services(AllServices).resource(&taken).resource(&taken),
    ];
    for (builder, expected) in
        [(unknown, "type example.warehouse.v1.Parcel"), (twice, "the parcel `a` already exists")]
    {
        let error = builder.build().unwrap_err();
        assert!(matches!(error, EmulatorError::Store { .. }), "{error:?}");
        assert!(error.to_string().ends_with(expected), "{error}");
    }
}
