//! The way from async code to files, the database and the kernel.

use crate::Error;

/// Runs `job` on a thread that may wait. A caller that goes away does not stop the job, so what it
/// began it also finishes or undoes.
pub(crate) async fn blocking<T, F>(job: F) -> Result<T, Error>
where
    T: Send + 'static,
    F: FnOnce() -> Result<T, Error> + Send + 'static,
{
    tokio::task::spawn_blocking(job).await?
}
