//! A PostgreSQL cluster that lives as long as the test process: made with the machine's own programs, reachable by a
//! socket only, gone when the process ends, however it ends. Without those programs the stories run on SQLite alone,
//! unless `PG_REQUIRED` says that is not good enough.
use std::fs;
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, OnceLock};
use std::time::{Duration, Instant};

use common_ground::store::db::{Db, Opening};

use super::key;

struct Cluster {
    socket: PathBuf,
    _keeper: Child,
}

static CLUSTER: OnceLock<Option<Cluster>> = OnceLock::new();
static NEXT: AtomicU32 = AtomicU32::new(1);
static MAKING: Mutex<()> = Mutex::new(());

/// The address of a new, migrated, empty database; `None` where there is no PostgreSQL on this machine.
pub fn new_database() -> Option<String> {
    database_like("migrated")
}

/// The address of a new database without a table.
pub fn empty_database() -> Option<String> {
    database_like("template0")
}

fn database_like(template: &str) -> Option<String> {
    let cluster = CLUSTER.get_or_init(begin).as_ref()?;
    let _one_at_a_time = MAKING
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner);
    let name = format!("t{}", NEXT.fetch_add(1, Ordering::Relaxed));
    sql(
        cluster,
        &format!("CREATE DATABASE {name} TEMPLATE {template}"),
    );
    Some(address(cluster, &name))
}

fn address(cluster: &Cluster, name: &str) -> String {
    format!(
        "postgres://postgres@{}/{name}",
        cluster.socket.display().to_string().replace('/', "%2F")
    )
}

fn sql(cluster: &Cluster, statement: &str) {
    use diesel::connection::SimpleConnection;
    use diesel::{Connection, PgConnection};
    let mut conn =
        PgConnection::establish(&address(cluster, "postgres")).expect("the cluster answers");
    conn.batch_execute(statement)
        .expect("a statement of the harness");
}

fn programs() -> Option<PathBuf> {
    let mut versions: Vec<PathBuf> = fs::read_dir("/usr/lib/postgresql")
        .ok()?
        .flatten()
        .map(|e| e.path().join("bin"))
        .filter(|p| p.join("initdb").exists())
        .collect();
    versions.sort();
    versions.pop()
}

#[expect(
    clippy::disallowed_methods,
    reason = "the harness asks whether PostgreSQL is a must"
)]
fn begin() -> Option<Cluster> {
    let Some(bin) = programs() else {
        assert!(
            std::env::var_os("PG_REQUIRED").is_none(),
            "PG_REQUIRED is set, and there is no PostgreSQL on this machine"
        );
        eprintln!("no PostgreSQL on this machine: the stories run on SQLite alone");
        return None;
    };
    let home = if roomy("/dev/shm") {
        PathBuf::from("/dev/shm")
    } else {
        std::env::temp_dir()
    };
    let dir = home.join(format!("cg-pg-{}", std::process::id()));
    fs::create_dir_all(&dir).expect("a folder for the cluster");
    let user = ordinary_user();
    if let Some((uid, gid)) = user {
        chown(&dir, Some(uid), Some(gid)).expect("the folder belongs to an ordinary user");
    }
    fs::set_permissions(&dir, fs::Permissions::from_mode(0o700)).expect("the folder is private");
    let run = |program: &str| {
        let mut command = Command::new(program);
        if let Some((uid, gid)) = user {
            command.uid(uid).gid(gid);
        }
        command
            .current_dir(&dir)
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        command
    };
    let data = dir.join("data");
    let made = run(bin.join("initdb").to_str().expect("a path"))
        .args([
            "-A",
            "trust",
            "-U",
            "postgres",
            "--locale=C.UTF-8",
            "-E",
            "UTF8",
            "--no-sync",
            "-D",
        ])
        .arg(&data)
        .status()
        .expect("initdb runs");
    assert!(made.success(), "initdb");
    // A shell keeps the server: when this process ends, its end of the pipe closes, and the shell stops the server.
    let script = format!(
        "{}/postgres -D {} -k {} -c listen_addresses= -c max_connections=300 & pid=$!; read _; kill -INT $pid; wait $pid; rm -rf {}",
        bin.display(),
        data.display(),
        dir.display(),
        dir.display()
    );
    let keeper = run("/bin/sh")
        .args(["-c", &script])
        .stdin(Stdio::piped())
        .spawn()
        .expect("a shell runs");
    let cluster = Cluster {
        socket: dir.clone(),
        _keeper: keeper,
    };
    let patience = Instant::now() + Duration::from_secs(30);
    while !dir.join(".s.PGSQL.5432").exists() {
        assert!(Instant::now() < patience, "the cluster did not begin");
        std::thread::sleep(Duration::from_millis(50));
    }
    std::thread::sleep(Duration::from_millis(200));
    sql(&cluster, "CREATE DATABASE migrated");
    drop(
        Db::open(&address(&cluster, "migrated"), Opening::Alone, &key())
            .expect("the migrations run"),
    );
    std::thread::sleep(Duration::from_millis(200));
    Some(cluster)
}

/// Whether a folder in memory has room for a database of each test: some gigabytes.
fn roomy(folder: &str) -> bool {
    let asked = Command::new("df")
        .args(["--output=avail", "-k", folder])
        .output();
    let said = asked
        .map(|o| String::from_utf8_lossy(&o.stdout).into_owned())
        .unwrap_or_default();
    said.lines()
        .nth(1)
        .and_then(|line| line.trim().parse::<u64>().ok())
        .is_some_and(|kib| kib > 3 * 1024 * 1024)
}

/// PostgreSQL does not run as root; then it runs as its own user.
fn ordinary_user() -> Option<(u32, u32)> {
    let root = fs::metadata("/proc/self")
        .ok()
        .map(|m| std::os::unix::fs::MetadataExt::uid(&m))
        == Some(0);
    let accounts = fs::read_to_string("/etc/passwd").ok()?;
    let fields: Vec<&str> = accounts
        .lines()
        .find(|l| l.starts_with("postgres:"))
        .or_else(|| accounts.lines().find(|l| l.starts_with("nobody:")))?
        .split(':')
        .collect();
    root.then(|| Some((fields.get(2)?.parse().ok()?, fields.get(3)?.parse().ok()?)))?
}
