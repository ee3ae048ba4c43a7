//! `POST /corten/build`: see [`api::corten`].

use axum::response::Response;

use crate::http::Failure;

pub(crate) async fn build() -> Result<Response, Failure> {
    Err(Failure::NotImplemented("build"))
}
