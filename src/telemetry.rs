//! What the service writes about itself: structured lines with ids and route patterns, never names, addresses or texts
//! (SAFETY §5).
use tracing_subscriber::EnvFilter;

/// Begins writing. Called once, by whoever starts the process.
pub fn begin(filter: &str, as_json: bool) -> Result<(), String> {
    // What strangers send that is not HTTP is no error of ours, and would let them fill the log.
    let quiet = "actix_http::h1::dispatcher=off";
    let filter =
        EnvFilter::try_new(format!("{filter},{quiet}")).map_err(|e| format!("LOG: {e}"))?;
    let lines = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_target(false);
    let begun = if as_json {
        lines.json().flatten_event(true).try_init()
    } else {
        lines.with_ansi(false).try_init()
    };
    begun.map_err(|e| e.to_string())
}
