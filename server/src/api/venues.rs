//! What each venue asks of an owner: boxes to tick, addresses to bind the key to, what to enter here.

use axum::Json;
use axum::extract::State;
use claviger_core::view::{PageView, VenueGuideView};
use claviger_venues::VenueId;

use crate::front::Front;

/// All venues. Nothing in it is anybody's: owners read it before they have anything here.
#[utoipa::path(get, path = "/api/v1/venues", tag = "public", responses((status = 200, body = PageView<VenueGuideView>)))]
pub(super) async fn list(State(front): State<Front>) -> Json<PageView<VenueGuideView>> {
    let venues = front.service.venues();
    let view = |venue: &VenueId| VenueGuideView::of(*venue, venues.enabled.contains(venue), &venues.addresses);
    Json(PageView { data: VenueId::ALL.iter().map(view).collect(), next_cursor: None })
}
