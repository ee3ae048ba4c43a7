//! Verbs on volumes and networks.

use super::{Client, ClientError};
use crate::network::Network;
use crate::query::encode_path;
use crate::volume::{List, Volume};
use crate::{Filters, NetworksPruned, Query, VolumesPruned};

impl Client {
    /// `GET /volumes`.
    pub async fn volume_list(&self, filters: &Filters) -> Result<List, ClientError> {
        let query = Query::new().with_some("filters", filters.encode());
        self.get("/volumes").query(query).receive().await
    }

    /// `GET /volumes/{name}`.
    pub async fn volume_inspect(&self, name: &str) -> Result<Volume, ClientError> {
        self.get(format!("/volumes/{}", encode_path(name)))
            .receive()
            .await
    }

    /// `DELETE /volumes/{name}`.
    pub async fn volume_remove(&self, name: &str, force: bool) -> Result<(), ClientError> {
        let query = Query::new().with_flag("force", force);
        let delete = self.delete(format!("/volumes/{}", encode_path(name)));
        delete.query(query).done().await
    }

    /// `POST /volumes/prune`.
    pub async fn volume_prune(&self, filters: &Filters) -> Result<VolumesPruned, ClientError> {
        let query = Query::new().with_some("filters", filters.encode());
        self.post("/volumes/prune").query(query).receive().await
    }

    /// `GET /networks`.
    pub async fn network_list(&self, filters: &Filters) -> Result<Vec<Network>, ClientError> {
        let query = Query::new().with_some("filters", filters.encode());
        self.get("/networks").query(query).receive().await
    }

    /// `GET /networks/{name}`.
    pub async fn network_inspect(&self, name: &str) -> Result<Network, ClientError> {
        self.get(format!("/networks/{}", encode_path(name)))
            .receive()
            .await
    }

    /// `POST /networks/prune`.
    pub async fn network_prune(&self, filters: &Filters) -> Result<NetworksPruned, ClientError> {
        let query = Query::new().with_some("filters", filters.encode());
        self.post("/networks/prune").query(query).receive().await
    }
}
