//! Services of the same name in three packages, two of which are versions of one package.

use std::net::SocketAddr;
use std::sync::Arc;

use added_service::client::{LibraryBooks, LibraryBooksV1, ShopBooks};
use added_service::proto::example::{library, shop};
use added_service::{rpc, server};
use eset_protect::Client;
use eset_protect::rpc::Rpc;
use eset_protect::server::RestFront;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::{Request, Response, Status};

struct Books;

macro_rules! serve_books {
    ($($package:ident::$version:ident, $book:expr;)*) => {$(
        #[tonic::async_trait]
        impl $package::$version::books_server::Books for Books {
            async fn get_book(
                &self,
                request: Request<$package::$version::GetBookRequest>,
            ) -> Result<Response<$package::$version::GetBookResponse>, Status> {
                let title = request.into_inner().book;
                let book = Some(($book)(title));
                Ok(Response::new($package::$version::GetBookResponse { book }))
            }

            async fn move_book(
                &self,
                _: Request<$package::$version::MoveBookRequest>,
            ) -> Result<Response<$package::$version::MoveBookResponse>, Status> {
                Ok(Response::new(Default::default()))
            }
        }
    )*};
}

serve_books! {
    library::v1, |title: String| library::v1::Book { title };
    library::v2, |title: String| library::v2::Book { title, shelf: "F".to_owned() };
    shop::v1, |title: String| shop::v1::Book { title, price: 5 };
}

async fn start() -> SocketAddr {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let serving = tonic::transport::Server::builder()
        .add_service(library::v1::books_server::BooksServer::new(Books))
        .add_service(library::v2::books_server::BooksServer::new(Books))
        .add_service(shop::v1::books_server::BooksServer::new(Books))
        .serve_with_incoming(TcpListenerStream::new(listener));
    tokio::spawn(serving);
    address
}

#[tokio::test]
async fn each_is_called_by_its_own_name() {
    let client = Client::connect(&format!("http://{}", start().await)).await.unwrap();
    let old = LibraryBooksV1::new(client.clone()).get_book("a").await.unwrap();
    assert_eq!(old, library::v1::Book { title: "a".to_owned() });
    let new = LibraryBooks::new(client.clone()).get_book("a").await.unwrap();
    assert_eq!(new.shelf, "F");
    let other = ShopBooks::new(client).get_book("a").await.unwrap();
    assert_eq!(other.price, 5);
}

#[tokio::test]
async fn a_rest_front_tells_them_apart() {
    let books = Arc::new(Books);
    let front = RestFront::new([
        Arc::new(server::LibraryBooksV1::new(Arc::clone(&books))) as _,
        Arc::new(server::LibraryBooks::new(Arc::clone(&books))) as _,
        Arc::new(server::ShopBooks::new(books)) as _,
    ]);
    for (path, expected) in [
        ("/v1/library/books/a", r#"{"book":{"title":"a"}}"#),
        ("/v2/library/books/a", r#"{"book":{"title":"a","shelf":"F"}}"#),
        ("/v1/shop/books/a", r#"{"book":{"title":"a","price":5}}"#),
    ] {
        let request = http::Request::get(path).body(bytes::Bytes::new()).unwrap();
        let answer = front.answer(request).await;
        assert_eq!(answer.status(), 200, "{path}");
        assert_eq!(String::from_utf8_lossy(answer.body()), expected);
    }
}

#[test]
fn the_module_of_an_rpc_is_its_package() {
    use added_service::rpc::example;
    let paths = [
        example::library::v1::books::GetBook::SPEC.path,
        example::library::v2::books::GetBook::SPEC.path,
        example::shop::v1::books::GetBook::SPEC.path,
    ];
    assert_eq!(
        paths,
        [
            "/example.library.v1.Books/GetBook",
            "/example.library.v2.Books/GetBook",
            "/example.shop.v1.Books/GetBook"
        ]
    );
    // The short name means the newest version.
    assert_eq!(rpc::library_books::GetBook::SPEC.path, paths[1]);
    assert_eq!(rpc::library_books_v1::GetBook::SPEC.path, paths[0]);
    assert_eq!(rpc::shop_books::GetBook::SPEC.path, paths[2]);
}

#[test]
fn openapi_has_a_name_for_each() {
    let document: serde_json::Value = serde_json::from_str(added_service::OPENAPI).unwrap();
    for (path, id, schema) in [
        ("/v1/library/books/{book}", "LibraryBooksV1_GetBook", "libraryv1GetBookResponse"),
        ("/v2/library/books/{book}", "LibraryBooks_GetBook", "v2GetBookResponse"),
        ("/v1/shop/books/{book}", "ShopBooks_GetBook", "shopv1GetBookResponse"),
    ] {
        let get = &document["paths"][path]["get"];
        assert_eq!(get["operationId"], id);
        let content = &get["responses"]["200"]["content"]["application/json"];
        let reference = format!("#/components/schemas/{schema}");
        assert_eq!(content["schema"]["$ref"], reference.as_str());
    }
}
