//! The calendars due times are counted by: a manager makes one, gives it other hours,
//! and brings in the holidays of next year.

use proto::redress::cases::v1::calendar_service_client::CalendarServiceClient;
use proto::redress::cases::v1::{
    CalendarContent, CalendarDay, CalendarDayKind, CreateCalendarRequest, GetCalendarRequest,
    ImportHolidaysRequest, UpdateCalendarRequest, UpdateTimeZonesRequest, WorkingWeek,
};
use testkit::request_id;

use super::scene::Scene;

/// Who keeps the calendars.
const MANAGER: &str = "manager";

/// A shop's calendar, made, changed and brought up to date.
pub(crate) async fn kept(scene: &Scene) {
    let mut calendars = CalendarServiceClient::new(scene.line(MANAGER));
    let name = || "shop".to_owned();
    let request = CreateCalendarRequest {
        request_id: request_id(),
        name: name(),
        content: Some(open_on_mondays("17:00")),
    };
    calendars.create_calendar(request).await.unwrap();
    let request = UpdateCalendarRequest {
        request_id: request_id(),
        expected_version: Some(1),
        name: name(),
        content: Some(open_on_mondays("18:00")),
        validate_only: false,
    };
    calendars.update_calendar(request).await.unwrap();
    let days = vec![CalendarDay {
        date: "2027-01-04".to_owned(),
        kind: CalendarDayKind::Holiday.into(),
        name: String::new(),
    }];
    let request = ImportHolidaysRequest {
        request_id: request_id(),
        name: name(),
        days: days.clone(),
        ..ImportHolidaysRequest::default()
    };
    calendars.import_holidays(request).await.unwrap();
    // Every clock counts by these already.
    let request = UpdateTimeZonesRequest { request_id: request_id(), ..UpdateTimeZonesRequest::default() };
    let adopted = calendars.update_time_zones(request).await.unwrap().into_inner();
    assert_eq!((adopted.moved_count, adopted.has_more), (0, false));

    let request = GetCalendarRequest { name: name(), version: None };
    let calendar = calendars.get_calendar(request).await.unwrap().into_inner().calendar.unwrap();
    assert_eq!(calendar.version, 3, "each change counts once, however often it was sent");
    assert_eq!(calendar.content, Some(CalendarContent { days, ..open_on_mondays("18:00") }));
}

fn open_on_mondays(until: &str) -> CalendarContent {
    let monday = vec![format!("09:00-{until}")];
    CalendarContent {
        time_zone: "Asia/Shanghai".to_owned(),
        hours: Some(WorkingWeek { monday, ..WorkingWeek::default() }),
        ..CalendarContent::default()
    }
}
