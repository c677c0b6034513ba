//! Where all floors meet: the desk is furnished, the jobs begin, the door opens.
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;

use actix_web::dev::Server;
use actix_web::middleware::from_fn;
use actix_web::web::Data;
use actix_web::{App, HttpServer};

use crate::casework::{Desk, Settings};
use crate::config::Config;
use crate::domain::time::Clock;
use crate::mail::letter::{LetterError, Letters};
use crate::store::db::Db;
use crate::web::guard::{Watch, guard};
use crate::web::routes;

/// How many connections may be open at once; more wait.
const CONNECTIONS: usize = 1024;

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
    let (desk, watch) = (Data::new(desk.clone()), Data::new(watch));
    Ok(HttpServer::new(move || {
        App::new()
            .app_data(desk.clone())
            .app_data(watch.clone())
            .configure(routes::configure)
            .wrap(from_fn(guard))
    })
    .workers(workers)
    .max_connections(CONNECTIONS)
    .client_request_timeout(std::time::Duration::from_secs(10))
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
        body_time: config.body_time,
    }
}
