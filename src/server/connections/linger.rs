//! Closes a connection in two steps (RFC 9112, 9.6).

use std::io::ErrorKind;
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::time::timeout;

/// How long the client may send nothing, and how long and how much it may send.
const SILENCE: Duration = Duration::from_secs(2);
const TIME: Duration = Duration::from_secs(5);
const SIZE: usize = 32 * 1024 * 1024;
const PART: usize = 32 * 1024;

/// Discards what the client still sends, until it closes its side. The system answers what arrives at a closed socket
/// with a reset, on which the client would lose the response that it has not read yet.
pub(super) async fn linger(stream: TcpStream) {
    // Only connections that end in this way need it.
    let (mut discarded, mut left) = (vec![0; PART], SIZE);
    let reading = async {
        while let Ok(Ok(())) = timeout(SILENCE, stream.readable()).await {
            left = match stream.try_read(&mut discarded) {
                Ok(count @ 1..) if count < left => left - count,
                Err(error) if error.kind() == ErrorKind::WouldBlock => left,
                Ok(_) | Err(_) => return,
            };
        }
    };
    // An error means that its time is up.
    let _ = timeout(TIME, reading).await;
}
