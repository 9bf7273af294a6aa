//! Departments: a name, and whose cases they handle.

use proto::redress::assignment::v1::assignment_service_client::AssignmentServiceClient;
use proto::redress::assignment::v1::{
    CreateDepartmentRequest, Department, GetDepartmentRequest, UpdateDepartmentRequest,
};

use super::Admin;
use super::direct::{Direct, EditQuery, VERSION, only_new};
use super::input::{Input, InputKind, Placed, line_of_item, names, place_in};
use super::trial::Trial;
use crate::form::Posted;
use crate::problem::Problem;
use crate::words::Words;

pub(super) struct Departments;

impl Direct for Departments {
    const KEY: &'static str = "departments";
    const IS_TRIED: bool = false;

    fn title(t: Words) -> &'static str {
        t.departments()
    }

    fn about(t: Words) -> &'static str {
        t.departments_edit()
    }

    fn list_path() -> &'static str {
        "/admin/roster"
    }

    fn inputs(t: Words, is_new: bool) -> Vec<Input> {
        let id = Input::new("department_id", t.id_word(), InputKind::Line(60)).saying(t.id_help());
        vec![
            only_new(id.required(), is_new),
            Input::hidden(VERSION),
            Input::new("display_name", t.display_name(), InputKind::Line(200)).required(),
            Input::new("categories", t.handles_categories(), InputKind::Code { rows: 5, max: 40_000 })
                .saying(t.handles_help()),
        ]
    }

    fn place(path: &str, inputs: &[Input]) -> Option<Placed> {
        let rest = path.strip_prefix("department.").unwrap_or(path);
        let value = |name: &str| inputs.iter().find(|input| input.name == name).map_or("", |one| &one.value);
        let line = place_in(rest, "categories").and_then(|place| line_of_item(value("categories"), place));
        let name = rest.split('[').next().unwrap_or_default();
        let known = ["department_id", "display_name", "categories"];
        known.into_iter().find(|one| *one == name).map(|input| Placed { input, line })
    }

    async fn begin(admin: &Admin, asked: &EditQuery) -> Result<Vec<(&'static str, String)>, Problem> {
        if asked.id.is_empty() {
            return Ok(Vec::new());
        }
        let request = GetDepartmentRequest { department_id: asked.id.clone() };
        let answer = AssignmentServiceClient::new(admin.client.calls()).get_department(request).await?;
        let department = answer.into_inner().department.ok_or_else(Problem::not_found)?;
        Ok(vec![
            ("department_id", department.department_id),
            (VERSION, department.version.to_string()),
            ("display_name", department.display_name),
            ("categories", department.categories.join("\n")),
        ])
    }

    async fn trial(_: &Admin, _: &Posted) -> Result<Trial, Problem> {
        Err(Problem::not_found())
    }

    async fn apply(admin: &Admin, posted: &Posted) -> Result<String, Problem> {
        let department = Some(Department {
            department_id: posted.text("department_id").to_owned(),
            display_name: posted.text("display_name").to_owned(),
            categories: names(posted.text("categories")),
            ..Department::default()
        });
        let request_id = posted.request_id();
        let mut service = AssignmentServiceClient::new(admin.client.calls());
        if posted.text("is_new") == "yes" {
            service.create_department(CreateDepartmentRequest { request_id, department }).await?;
        } else {
            let expected_version = posted.version();
            let request = UpdateDepartmentRequest { request_id, expected_version, department };
            service.update_department(request).await?;
        }
        Ok("/admin/roster".to_owned())
    }

    fn id(posted: &Posted) -> String {
        posted.text("department_id").to_owned()
    }
}
