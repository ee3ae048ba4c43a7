//! `POST /build`: a context as a tar archive, progress as text for people.

use axum::response::Response;

use crate::http::Failure;

pub(crate) async fn build() -> Result<Response, Failure> {
    Err(Failure::NotImplemented("build"))
}
