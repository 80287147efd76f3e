//! Keys that are fetched from an address.

use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use eset_protect::Wire;
use eset_protect::automation::v1::ListTasksRequest;
use eset_protect::serve::{Config, Jwks, JwtIssuer};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tonic::Code;

use super::{AUDIENCE, ISSUER, Key, bridge, claims, code};
use crate::support::directory::Directory;
use crate::{WIRES, client, emulator};

/// Answers a request with a set of keys.
async fn answer(stream: &mut TcpStream, set: &str) {
    let length = set.len();
    let answer =
        format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{set}");
    stream.write_all(answer.as_bytes()).await.unwrap();
}

async fn pass(time: Duration) {
    tokio::time::pause();
    tokio::time::advance(time).await;
    tokio::time::resume();
}

/// Serves the current one of two sets of keys.
async fn serve_keys(
    sets: [String; 2],
    current: &Arc<AtomicUsize>,
    requests: &Arc<AtomicU64>,
) -> (String, JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/keys", listener.local_addr().unwrap());
    let (served, count) = (Arc::clone(current), Arc::clone(requests));
    let server = tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut head = [0; 1024];
            let _ = stream.read(&mut head).await.unwrap();
            count.fetch_add(1, Ordering::SeqCst);
            let set = &sets[served.load(Ordering::SeqCst)];
            answer(&mut stream, set).await;
        }
    });
    (url, server)
}

#[tokio::test]
async fn the_keys_are_fetched_and_rotated_with_patience() {
    let emulator = emulator().await;
    let keys = [Key::ec(), Key::ec()];
    let (current, requests) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicU64::new(0)));
    let sets =
        [keys[0].public("0"), keys[1].public("1")].map(|key| json!({ "keys": [key] }).to_string());
    let (url, server) = serve_keys(sets, &current, &requests).await;
    let token = |index: usize| keys[index].token(&keys[index].head(&index.to_string()), &claims());
    let issuer = |jwks| JwtIssuer::new(ISSUER, AUDIENCE, jwks);
    let jwks = || Jwks::fetched_from(&url).unwrap();
    let serving = bridge(&emulator.endpoint(), issuer(jwks())).await;
    let caller = client(&serving.endpoint(), Wire::Grpc);
    for _ in 0..3 {
        assert_eq!(code(&caller, &token(0)).await, Code::Ok);
    }
    current.store(1, Ordering::SeqCst);
    // Unknown keys do not make it ask more often than it may.
    for _ in 0..5 {
        assert_eq!(code(&caller, &token(1)).await, Code::Unauthenticated);
    }
    assert_eq!(requests.load(Ordering::SeqCst), 1);
    pass(Duration::from_secs(30)).await;
    assert_eq!(code(&caller, &token(1)).await, Code::Ok);
    assert_eq!(code(&caller, &token(0)).await, Code::Unauthenticated);
    assert_eq!(requests.load(Ordering::SeqCst), 2);
    // The last set is used while no new one can be had.
    server.abort();
    assert!(server.await.unwrap_err().is_cancelled());
    pass(Duration::from_secs(600)).await;
    assert_eq!(code(&caller, &token(1)).await, Code::Ok);
    assert_eq!(code(&caller, &token(0)).await, Code::Unavailable);
    let down = bridge(&emulator.endpoint(), issuer(jwks())).await;
    assert_eq!(code(&client(&down.endpoint(), Wire::Grpc), &token(1)).await, Code::Unavailable);
}

#[tokio::test]
async fn an_issuer_that_has_withdrawn_all_keys_is_obeyed() {
    let emulator = emulator().await;
    let key = Key::ec();
    let current = Arc::new(AtomicUsize::new(0));
    let of_rsa = json!({ "kty": "RSA", "alg": "RS512", "n": "AAAA", "e": "AQAB" });
    for set in [json!([]), json!([of_rsa])] {
        current.store(0, Ordering::SeqCst);
        let sets = [json!([key.public("0")]), set].map(|keys| json!({ "keys": keys }).to_string());
        let (url, _server) = serve_keys(sets, &current, &Arc::default()).await;
        let jwks = Jwks::fetched_from(&url).unwrap();
        let bridge = bridge(&emulator.endpoint(), JwtIssuer::new(ISSUER, AUDIENCE, jwks)).await;
        let client = client(&bridge.endpoint(), Wire::Grpc);
        let token = key.token(&key.head("0"), &claims());
        assert_eq!(code(&client, &token).await, Code::Ok);
        current.store(1, Ordering::SeqCst);
        pass(Duration::from_secs(600)).await;
        assert_eq!(code(&client, &token).await, Code::Unauthenticated);
    }
}

#[tokio::test]
async fn callers_do_not_learn_where_the_keys_come_from() {
    let emulator = emulator().await;
    let jwks = Jwks::fetched_from("http://127.0.0.1:1/keys?k=hunter2").unwrap();
    let bridge = bridge(&emulator.endpoint(), JwtIssuer::new(ISSUER, AUDIENCE, jwks)).await;
    let key = Key::ec();
    let token = format!("Bearer {}", key.token(&key.head("0"), &claims()));
    for front in WIRES {
        let client = client(&bridge.endpoint(), front);
        let call = client.device_tasks().list_tasks(ListTasksRequest::default());
        let error = call.metadata("authorization", &token).await.unwrap_err();
        assert_eq!(error.message(), "the keys of the issuer of tokens cannot be fetched");
    }
}

/// Serves sets of keys, each when it is released, and tells of each request.
async fn serve_held(sets: [String; 2]) -> (String, mpsc::UnboundedReceiver<oneshot::Sender<()>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/keys", listener.local_addr().unwrap());
    let (tell, requests) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        for set in sets {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut head = [0; 1024];
            let _ = stream.read(&mut head).await.unwrap();
            let (release, released) = oneshot::channel();
            tell.send(release).unwrap();
            released.await.unwrap();
            answer(&mut stream, &set).await;
        }
    });
    (url, requests)
}

#[tokio::test]
async fn callers_wait_for_the_keys_that_are_on_their_way() {
    let emulator = emulator().await;
    let keys = [Key::ec(), Key::ec()];
    let public = [keys[0].public("0"), keys[1].public("1")];
    let sets = [json!({ "keys": [public[0]] }), json!({ "keys": public })];
    let (url, mut requests) = serve_held(sets.map(|set| set.to_string())).await;
    let jwks = Jwks::fetched_from(&url).unwrap();
    let bridge = bridge(&emulator.endpoint(), JwtIssuer::new(ISSUER, AUDIENCE, jwks)).await;
    let client = client(&bridge.endpoint(), Wire::Grpc);
    for (index, key) in keys.iter().enumerate() {
        // A key that is not in the set makes the bridge ask again after a while.
        pass(Duration::from_secs(30)).await;
        let token = key.token(&key.head(&index.to_string()), &claims());
        let calls = futures_util::future::join_all((0..20).map(|_| code(&client, &token)));
        let fetched = async {
            let release = requests.recv().await.unwrap();
            // The bridge has read the other calls when it answers one after them on the same connection.
            assert_eq!(code(&client, "unknown").await, Code::Unauthenticated);
            if index > 0 {
                // Whose key is there does not wait.
                let token = keys[0].token(&keys[0].head("0"), &claims());
                assert_eq!(code(&client, &token).await, Code::Ok);
            }
            release.send(()).unwrap();
        };
        // A second request for the set would not be answered.
        let (codes, ()) = tokio::join!(calls, fetched);
        assert_eq!(codes, [Code::Ok; 20], "{index}");
    }
}

#[tokio::test]
async fn keys_that_are_malformed_or_unknown_are_ignored() {
    let emulator = emulator().await;
    let key = Key::ec();
    let of_rsa = |name: &str, value: Value| {
        let mut key = json!({ "kty": "RSA", "n": "AAAA", "e": "AQAB" });
        key[name] = value;
        key
    };
    let keys = [
        of_rsa("kid", 5.into()),
        of_rsa("x5c", "no list".into()),
        of_rsa("n", "!!!".into()),
        json!({ "kty": "RSA", "kid": "1" }),
        json!({ "kty": "AKP", "alg": "ML-DSA-65", "pub": "AAAA" }),
        json!({ "kid": "2" }),
        json!("no key"),
        Value::Null,
        key.public("0"),
    ];
    let set = json!({ "keys": keys }).to_string();
    let issuer = JwtIssuer::new(ISSUER, AUDIENCE, Jwks::parse(set).unwrap());
    let bridge = bridge(&emulator.endpoint(), issuer).await;
    let client = client(&bridge.endpoint(), Wire::Grpc);
    assert_eq!(code(&client, &key.token(&key.head("0"), &claims())).await, Code::Ok);
}

#[tokio::test]
async fn a_reload_keeps_the_keys_of_the_same_address() {
    let emulator = emulator().await;
    let key = Key::ec();
    let set = json!({ "keys": [key.public("0")] }).to_string();
    let (url, server) = serve_keys([set.clone(), set], &Arc::default(), &Arc::default()).await;
    let directory = Directory::new();
    let path = directory.join("serve.toml");
    let write = |url: &str| {
        let text = format!(
            "[jwt]\nissuer = {ISSUER:?}\naudience = {AUDIENCE:?}\njwks = {url:?}\n\
             [tenants.acme]\nendpoint = {:?}\n[callers.soar]\njwt = \"soar\"\ntenants = [\"acme\"]\n",
            emulator.endpoint()
        );
        fs::write(&path, text).unwrap();
    };
    write(&url);
    let bridge = Config::read(&path, None).unwrap().into_bridge();
    let handle = bridge.access_handle();
    let bridge = bridge.start().await.unwrap();
    let client = client(&bridge.endpoint(), Wire::Grpc);
    let token = key.token(&key.head("0"), &claims());
    assert_eq!(code(&client, &token).await, Code::Ok);
    server.abort();
    assert!(server.await.unwrap_err().is_cancelled());
    let reload = || {
        let config = Config::read(&path, Some(&handle.current())).unwrap();
        handle.replace(config.into_access()).unwrap();
    };
    reload();
    assert_eq!(code(&client, &token).await, Code::Ok);
    // Keys of another address are others.
    write(&url.replace("/keys", "/others"));
    reload();
    assert_eq!(code(&client, &token).await, Code::Unavailable);
}
