//! What the figures stand beside: the least that HTTP costs, and the least that keeping something costs.
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use actix_web::{App, HttpResponse, HttpServer, web};
use diesel::connection::SimpleConnection;
use diesel::prelude::*;

use crate::load::Figure;
use crate::town::{free_port, is_open};

/// The argument that makes this program the bare server.
pub const BARE: &str = "--bare";

/// A server that does nothing: `/N` answers N octets. It runs in a process of its own, with the workers ours has.
pub fn bare() -> (Child, u16) {
    let port = free_port();
    let child = Command::new(std::env::current_exe().expect("a path"))
        .args([BARE, &port.to_string()])
        .stdout(Stdio::null())
        .spawn()
        .expect("the bare server starts");
    while !is_open(port) {
        std::thread::sleep(Duration::from_millis(5));
    }
    (child, port)
}

/// Runs as that server.
pub fn serve_bare(port: u16) {
    let answer = |size: web::Path<usize>| async move {
        HttpResponse::Ok()
            .content_type("application/json")
            .body(vec![b'x'; *size])
    };
    let cores = std::thread::available_parallelism().map_or(2, usize::from);
    let server = HttpServer::new(move || App::new().route("/{size}", web::get().to(answer)))
        .workers(cores)
        .bind(("127.0.0.1", port))
        .expect("a port");
    actix_web::rt::System::new()
        .block_on(server.run())
        .expect("the bare server runs");
}

/// One row after another, each with a durable commit of its own, as the service keeps its database.
pub fn raw_commits(folder: &Path, time: Duration) -> Figure {
    let file = folder.join("raw.db");
    let mut conn = SqliteConnection::establish(&file.display().to_string()).expect("a database");
    conn.batch_execute("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; CREATE TABLE row (id INTEGER PRIMARY KEY, body BLOB)").expect("a table");
    let insert = "BEGIN; INSERT INTO row (body) VALUES (zeroblob(2000)); COMMIT";
    let (begin, mut took) = (Instant::now(), Vec::new());
    while begin.elapsed() < time {
        let since = Instant::now();
        conn.batch_execute(insert).expect("a row");
        took.push(since.elapsed());
    }
    Figure::of(took, time)
}
