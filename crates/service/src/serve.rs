//! Serving a router until told to stop.

use std::io::Write as _;
use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use tokio::net::TcpListener;

use crate::Shutdown;

/// How long open requests may go on after the signal to stop.
const GRACE: Duration = Duration::from_secs(3);

/// Opens the listening socket; a taken port is told with its address.
///
/// # Errors
/// [`std::io::Error`] with the address in its text.
pub async fn bind(address: SocketAddr) -> std::io::Result<TcpListener> {
    TcpListener::bind(address).await.map_err(|error| {
        let text = format!("cannot listen on {address}: {error}; stop what uses it or set another `listen`");
        std::io::Error::new(error.kind(), text)
    })
}

/// Says `ready <url>` on standard output, serves, and returns once `shutdown` has fired and open
/// requests have ended or three seconds have passed.
///
/// # Errors
/// [`std::io::Error`] if the socket fails.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    url: &str,
    shutdown: Shutdown,
) -> std::io::Result<()> {
    // The reader may be gone; the service serves all the same.
    let _ = writeln!(std::io::stdout(), "ready {url}");
    tracing::info!(listen = %listener.local_addr()?, "serving");
    let service = router.into_make_service_with_connect_info::<SocketAddr>();
    let signal = shutdown.clone();
    let server =
        axum::serve(listener, service).with_graceful_shutdown(async move { signal.triggered().await });
    let deadline = async move {
        shutdown.triggered().await;
        tokio::time::sleep(GRACE).await;
    };
    tokio::select! {
        ended = server.into_future() => ended,
        () = deadline => Ok(()),
    }
}
