//! Where all floors meet: the desk is furnished, the jobs begin, the door opens.
use std::io;
use std::net::{Shutdown, SocketAddr, TcpListener};
use std::os::fd::AsFd;
use std::sync::Arc;
use std::time::Duration;

use actix_web::dev::Server;
use actix_web::middleware::from_fn;
use actix_web::rt::net::TcpStream;
use actix_web::web::Data;
use actix_web::{App, HttpServer};

use crate::casework::{Desk, Settings};
use crate::config::Config;
use crate::domain::time::Clock;
use crate::mail::letter::{LetterError, Letters};
use crate::store::db::Db;
use crate::web::guard::{Life, Watch, guard};
use crate::web::pages::demo::{self, Door};
use crate::web::routes;

/// How many connections may be open at once; more wait. Each may cost half a megabyte while its client does not read.
const CONNECTIONS: usize = 512;
/// How long a connection may last beyond the time of a body without a request or an answer.
const PATIENCE: Duration = Duration::from_secs(30);

/// Furnishes the desk.
pub fn desk(db: Db, clock: Arc<dyn Clock>, settings: Settings) -> Result<Desk, LetterError> {
    Ok(Desk {
        db,
        clock,
        letters: Arc::new(Letters::embedded()?),
        settings: Arc::new(settings),
    })
}

/// Opens the door: the server runs when it is awaited, and stops when it is told to.
pub fn server(
    desk: &Desk,
    listener: TcpListener,
    watch: Watch,
    workers: usize,
) -> io::Result<Server> {
    open(desk, listener, watch, workers, None)
}

/// The same with the demo's front door, behind which anybody can be anybody. Only the demo opens it.
pub fn demo_server(
    desk: &Desk,
    listener: TcpListener,
    watch: Watch,
    workers: usize,
    door: Door,
) -> io::Result<Server> {
    open(desk, listener, watch, workers, Some(Arc::new(door)))
}

fn open(
    desk: &Desk,
    listener: TcpListener,
    watch: Watch,
    workers: usize,
    door: Option<Arc<Door>>,
) -> io::Result<Server> {
    let patience = watch.body_time + PATIENCE;
    let (desk, watch) = (Data::new(desk.clone()), Data::new(watch));
    Ok(HttpServer::new(move || {
        App::new()
            .app_data(desk.clone())
            .app_data(watch.clone())
            .configure(|config| {
                if let Some(door) = &door {
                    demo::configure(config, door);
                }
            })
            .configure(routes::configure)
            .wrap(from_fn(guard))
    })
    .workers(workers)
    .max_connections(CONNECTIONS.div_ceil(workers.max(1)))
    .client_request_timeout(Duration::from_secs(10))
    .on_connect(move |line, data| {
        let line = line
            .downcast_ref::<TcpStream>()
            .and_then(|line| line.as_fd().try_clone_to_owned().ok());
        if let Some(line) = line.map(std::net::TcpStream::from) {
            data.insert(Life::begin(patience, move || {
                // Whoever waits for this connection, to read or to write, wakes up and ends it.
                let _ = line.shutdown(Shutdown::Both);
            }));
        }
    })
    .shutdown_timeout(30)
    .listen(listener)?
    .run())
}

/// Takes the address the service listens at.
pub fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    TcpListener::bind(address)
}

/// What the guard needs of the configuration.
#[must_use]
pub fn watch(config: &Config) -> Watch {
    Watch {
        hosts: config.hosts.clone(),
        proxies: config.proxies.clone(),
        body_time: config.body_time,
    }
}
