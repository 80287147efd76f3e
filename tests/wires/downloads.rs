//! A response that is not JSON: `google.api.HttpBody`, as it is over REST and a message over gRPC.

use std::sync::Arc;

use bytes::Bytes;
use eset_protect::proto::eset::dotnod::quarantine_management::v1::quarantined_objects_server::{
    QuarantinedObjects, QuarantinedObjectsServer,
};
use eset_protect::proto::eset::dotnod::quarantine_management::v1::*;
use eset_protect::proto::google::api::HttpBody;
use eset_protect::server::{Backend, QuarantinedObjects as Objects, RestFront};
use eset_protect::{Client, RetryPolicy, Wire};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use tokio::net::TcpListener;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::transport::Server;
use tonic::{Code, Request, Response, Status};

type Answer<M> = Result<Response<M>, Status>;

/// No text, and no JSON.
const CONTENT: &[u8] = b"PK\x03\x04\0\xff\xfe{";

/// Downloads `CONTENT`, as the media type that the request names in the place of an object.
struct Vault;

fn not_here<M>() -> Answer<M> {
    Err(Status::unimplemented("only batch downloads"))
}

#[tonic::async_trait]
impl QuarantinedObjects for Vault {
    async fn batch_download_quarantined_objects(
        &self,
        request: Request<BatchDownloadQuarantinedObjectsRequest>,
    ) -> Answer<HttpBody> {
        let [content_type] = request
            .into_inner()
            .object_uuids
            .try_into()
            .map_err(|_| Status::not_found("no such object"))?;
        let data = CONTENT.into();
        Ok(Response::new(HttpBody { content_type, data, extensions: Vec::new() }))
    }

    async fn list_quarantined_objects(
        &self,
        _: Request<ListQuarantinedObjectsRequest>,
    ) -> Answer<ListQuarantinedObjectsResponse> {
        not_here()
    }

    async fn get_quarantined_objects_count(
        &self,
        _: Request<GetQuarantinedObjectsCountRequest>,
    ) -> Answer<GetQuarantinedObjectsCountResponse> {
        not_here()
    }

    async fn get_quarantined_object(
        &self,
        _: Request<GetQuarantinedObjectRequest>,
    ) -> Answer<GetQuarantinedObjectResponse> {
        not_here()
    }

    async fn batch_delete_quarantined_objects(
        &self,
        _: Request<BatchDeleteQuarantinedObjectsRequest>,
    ) -> Answer<BatchDeleteQuarantinedObjectsResponse> {
        not_here()
    }

    async fn batch_restore_quarantined_objects(
        &self,
        _: Request<BatchRestoreQuarantinedObjectsRequest>,
    ) -> Answer<BatchRestoreQuarantinedObjectsResponse> {
        not_here()
    }

    async fn download_quarantined_objects(
        &self,
        _: Request<DownloadQuarantinedObjectsRequest>,
    ) -> Answer<HttpBody> {
        not_here()
    }

    async fn purge_quarantined_objects(
        &self,
        _: Request<PurgeQuarantinedObjectsRequest>,
    ) -> Answer<PurgeQuarantinedObjectsResponse> {
        not_here()
    }

    async fn restore_quarantined_objects(
        &self,
        _: Request<RestoreQuarantinedObjectsRequest>,
    ) -> Answer<RestoreQuarantinedObjectsResponse> {
        not_here()
    }
}

/// Serves the vault at a port for gRPC and one for REST.
async fn serve() -> [(Wire, String); 2] {
    let vault = Arc::new(Vault);
    let grpc = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let rest = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = |listener: &TcpListener| format!("http://{}", listener.local_addr().unwrap());
    let endpoints = [(Wire::Grpc, endpoint(&grpc)), (Wire::Rest, endpoint(&rest))];

    let service = QuarantinedObjectsServer::from_arc(Arc::clone(&vault));
    let serving = Server::builder().add_service(service);
    tokio::spawn(serving.serve_with_incoming(TcpListenerStream::new(grpc)));
    let front = RestFront::new([Arc::new(Objects::new(vault)) as Arc<dyn Backend>]);
    tokio::spawn(async move {
        while let Ok((stream, _)) = rest.accept().await {
            let front = front.clone();
            let service = service_fn(move |request: http::Request<Incoming>| {
                let front = front.clone();
                async move {
                    let answer = match front.read(request).await {
                        Ok(request) => front.answer(request).await,
                        Err(answer) => answer,
                    };
                    Ok::<_, std::convert::Infallible>(answer.map(Full::<Bytes>::new))
                }
            });
            tokio::spawn(async move {
                let server = auto::Builder::new(TokioExecutor::new());
                let _ = server.serve_connection(TokioIo::new(stream), service).await;
            });
        }
    });
    endpoints
}

#[tokio::test]
async fn a_download_comes_as_it_is_with_its_media_type() {
    for (wire, endpoint) in serve().await {
        let client = Client::builder(&endpoint).wire(wire).retry(RetryPolicy::none());
        let client = client.connect().await.unwrap();
        let download = async |objects: &[&str]| {
            let object_uuids = objects.iter().map(|object| (*object).to_owned()).collect();
            let request = BatchDownloadQuarantinedObjectsRequest { object_uuids };
            client.quarantined_objects().batch_download_quarantined_objects(request).await
        };
        let body = download(&["application/zip"]).await.unwrap();
        assert_eq!((body.content_type.as_str(), &body.data[..]), ("application/zip", CONTENT));
        // In a browser it is no page of this server.
        if wire == Wire::Rest {
            let object_uuids = vec!["text/html".to_owned()];
            let request = BatchDownloadQuarantinedObjectsRequest { object_uuids };
            let objects = client.quarantined_objects();
            let sent = objects.batch_download_quarantined_objects(request).send().await.unwrap();
            let policy = sent.metadata().get("content-security-policy").unwrap();
            assert_eq!(policy, "default-src 'none'; sandbox");
        }
        // A body needs a media type over HTTP; a message does not.
        let body = download(&[""]).await.unwrap();
        let unknown = if wire == Wire::Rest { "application/octet-stream" } else { "" };
        assert_eq!((body.content_type.as_str(), &body.data[..]), (unknown, CONTENT));
        // That it is JSON does not make it the message.
        let body = download(&["application/json"]).await.unwrap();
        assert_eq!((body.content_type.as_str(), &body.data[..]), ("application/json", CONTENT));
        let error = download(&[]).await.unwrap_err();
        assert_eq!((error.code(), error.message()), (Code::NotFound, "no such object"));
    }
}

#[tokio::test]
async fn what_is_no_media_type_is_an_error() {
    let [_, (wire, endpoint)] = serve().await;
    let client = Client::builder(&endpoint).wire(wire).retry(RetryPolicy::none());
    let client = client.connect().await.unwrap();
    let object_uuids = vec!["application/\nzip".to_owned()];
    let request = BatchDownloadQuarantinedObjectsRequest { object_uuids };
    let objects = client.quarantined_objects();
    let error = objects.batch_download_quarantined_objects(request).await.unwrap_err();
    assert_eq!(error.code(), Code::Internal);
    assert!(error.message().contains("is no media type"), "{error}");
}
