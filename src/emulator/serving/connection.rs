//! A connection that can be broken from this side.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tonic::transport::server::{Connected, TcpConnectInfo};

/// A TCP connection that fails as soon as it is told to. tonic gives each connection a task of its own
/// and no handle to it; this ends those tasks.
pub(super) struct Connection {
    stream: TcpStream,
    broken: Pin<Box<dyn Future<Output = ()> + Send>>,
    /// Gone once the client has sent something.
    unused: Option<Pin<Box<dyn Future<Output = ()> + Send>>>,
    is_broken: bool,
}

/// What becomes of the connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Phase {
    /// They are served.
    Serving,
    /// They may finish what they are at. Those on which nothing was ever sent break.
    Draining,
    /// They break.
    Broken,
}

impl Connection {
    /// Breaks as the phase says, or when its sender is gone.
    pub(super) fn new(stream: TcpStream, phase: &watch::Receiver<Phase>) -> Self {
        let reaches = |wanted| {
            let mut phase = phase.clone();
            async move {
                let _ = phase.wait_for(|phase| *phase >= wanted).await;
            }
        };
        let unused: Pin<Box<dyn Future<Output = ()> + Send>> = Box::pin(reaches(Phase::Draining));
        let broken = Box::pin(reaches(Phase::Broken));
        Self { stream, broken, unused: Some(unused), is_broken: false }
    }

    fn check(&mut self, context: &mut Context<'_>) -> io::Result<()> {
        self.is_broken = self.is_broken
            || self.broken.as_mut().poll(context).is_ready()
            || self.unused.as_mut().is_some_and(|unused| unused.as_mut().poll(context).is_ready());
        if self.is_broken { Err(io::ErrorKind::ConnectionAborted.into()) } else { Ok(()) }
    }
}

impl Connected for Connection {
    type ConnectInfo = TcpConnectInfo;

    fn connect_info(&self) -> TcpConnectInfo {
        self.stream.connect_info()
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.check(context)?;
        let before = buffer.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(context, buffer);
        if buffer.filled().len() > before {
            self.unused = None;
        }
        read
    }
}

impl AsyncWrite for Connection {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.check(context)?;
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.check(context)?;
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        // Closing is what a broken connection is for.
        ready!(Pin::new(&mut self.stream).poll_shutdown(context))?;
        Poll::Ready(Ok(()))
    }
}
