//! A company's directory over files: the reference for those who serve their own.
//!
//! `cargo run -p cases --example csv_directory -- FOLDER 127.0.0.1:50100` serves
//! `redress.directory.v1.Directory` over gRPC, of what `customers.csv`, `orders.csv`,
//! `products.csv` and `contacts.csv` of the folder have; a file that is not there has nothing.
//! `redress directory set http://127.0.0.1:50100 --kind grpc` has it asked. Columns are named as
//! the fields of the contract; times are RFC 3339, sums as in `EUR 39.90`, and several products
//! of an order stand between blanks. Telephone numbers and addresses are compared as Redress
//! compares them, whatever their spelling.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context as _, Result};
use jiff::Timestamp;
use proto::google::r#type::Money;
use proto::redress::directory::v1::directory_server::{Directory, DirectoryServer};
use proto::redress::directory::v1::{
    Contact, Customer, GetCustomerRequest, GetCustomerResponse, GetProductRequest, GetProductResponse,
    ListContactsRequest, ListContactsResponse, ListOrdersRequest, ListOrdersResponse, Order, Product,
};
use tonic::transport::Server;
use tonic::{Request, Response, Status};

type Row = HashMap<String, String>;

/// What the files have.
#[derive(Clone, Default)]
struct Files {
    customers: Arc<[Customer]>,
    orders: Arc<[(String, Order)]>,
    products: Arc<[Product]>,
    contacts: Arc<[(String, Contact)]>,
}

#[tokio::main]
async fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let folder = arguments.next().context("name the folder of the files")?;
    let address = arguments.next().unwrap_or_else(|| "127.0.0.1:50100".to_owned());
    let files = Files::read(Path::new(&folder))?;
    println!("{} customers, {} orders at {address}", files.customers.len(), files.orders.len());
    Server::builder().add_service(DirectoryServer::new(files)).serve(address.parse()?).await?;
    Ok(())
}

fn rows(folder: &Path, name: &str) -> Result<Vec<Row>> {
    let path = folder.join(name);
    if !path.exists() {
        return Ok(Vec::new());
    }
    let mut reader = csv::Reader::from_path(&path).with_context(|| path.display().to_string())?;
    reader.deserialize().map(|row| row.with_context(|| path.display().to_string())).collect()
}

fn text(row: &Row, name: &str) -> String {
    row.get(name).map(|text| text.trim().to_owned()).unwrap_or_default()
}

fn time(row: &Row, name: &str) -> Result<Option<prost_types::Timestamp>> {
    let text = text(row, name);
    if text.is_empty() {
        return Ok(None);
    }
    let time: Timestamp = text.parse().with_context(|| format!("{name}: {text}"))?;
    Ok(Some(proto::timestamp(time)))
}

/// `EUR 39.90`.
fn sum(text: &str) -> Result<Option<Money>> {
    let Some((currency, amount)) = text.split_once(' ') else { return Ok(None) };
    let (units, cents) = amount.split_once('.').unwrap_or((amount, ""));
    let nanos = format!("{cents:0<9}").parse().with_context(|| text.to_owned())?;
    Ok(Some(Money { currency_code: currency.to_owned(), units: units.parse()?, nanos }))
}

impl Files {
    fn read(folder: &Path) -> Result<Self> {
        let customers = rows(folder, "customers.csv")?.into_iter().map(|row| {
            Ok(Customer {
                customer_id: text(&row, "customer_id"),
                display_name: text(&row, "display_name"),
                email: text(&row, "email"),
                phone: text(&row, "phone"),
                region: text(&row, "region"),
                tier: text(&row, "tier"),
                since_time: time(&row, "since_time")?,
            })
        });
        let orders = rows(folder, "orders.csv")?.into_iter().map(|row| {
            let order = Order {
                order_ref: text(&row, "order_ref"),
                status: text(&row, "status"),
                title: text(&row, "title"),
                total: sum(&text(&row, "total"))?,
                order_time: time(&row, "order_time")?,
                deliver_time: time(&row, "deliver_time")?,
                product_refs: text(&row, "product_refs").split_whitespace().map(str::to_owned).collect(),
            };
            Ok((text(&row, "customer_id"), order))
        });
        let products = rows(folder, "products.csv")?.into_iter().map(|row| Product {
            product_ref: text(&row, "product_ref"),
            title: text(&row, "title"),
            kind: text(&row, "kind"),
            warranty_days: text(&row, "warranty_days").parse().unwrap_or(0),
        });
        let contacts = rows(folder, "contacts.csv")?.into_iter().map(|row| {
            let (channel, subject) = (text(&row, "channel"), text(&row, "subject"));
            Ok((text(&row, "customer_id"), Contact { channel, subject, time: time(&row, "time")? }))
        });
        let mut orders = orders.collect::<Result<Vec<_>>>()?;
        orders.sort_by_key(|(_, order)| std::cmp::Reverse(order.order_time.map(|time| time.seconds)));
        let mut contacts = contacts.collect::<Result<Vec<_>>>()?;
        contacts.sort_by_key(|(_, contact)| std::cmp::Reverse(contact.time.map(|time| time.seconds)));
        Ok(Self {
            customers: customers.collect::<Result<Vec<_>>>()?.into(),
            orders: orders.into(),
            products: products.collect(),
            contacts: contacts.into(),
        })
    }

    /// Whom a complaint means: nobody where more than one might be.
    fn customer(&self, asked: &GetCustomerRequest) -> Option<Customer> {
        let by = |key: fn(&str) -> Option<i64>, of: fn(&Customer) -> &str, asked: &str| {
            let sought = key(asked)?;
            let mut found = self.customers.iter().filter(|one| key(of(one)) == Some(sought));
            found.next().filter(|_| found.next().is_none()).cloned()
        };
        by(sameness::number, |one| &one.customer_id, &asked.customer_id)
            .or_else(|| by(sameness::email, |one| &one.email, &asked.email))
            .or_else(|| by(sameness::phone, |one| &one.phone, &asked.phone))
    }
}

fn most(max_results: i32) -> usize {
    usize::try_from(max_results).unwrap_or(0).clamp(1, 100)
}

#[tonic::async_trait]
impl Directory for Files {
    async fn get_customer(
        &self,
        request: Request<GetCustomerRequest>,
    ) -> Result<Response<GetCustomerResponse>, Status> {
        Ok(Response::new(GetCustomerResponse { customer: self.customer(request.get_ref()) }))
    }

    async fn list_orders(
        &self,
        request: Request<ListOrdersRequest>,
    ) -> Result<Response<ListOrdersResponse>, Status> {
        let ListOrdersRequest { customer_id, order_ref, max_results, .. } = request.into_inner();
        // An order that is named is told only of the customer it belongs to.
        let theirs = self.orders.iter().filter(|(customer, order)| {
            (order_ref.is_empty() || sameness::number(&order.order_ref) == sameness::number(&order_ref))
                && (customer_id.is_empty() || *customer == customer_id)
        });
        let orders = theirs.map(|(_, order)| order.clone()).take(most(max_results)).collect();
        Ok(Response::new(ListOrdersResponse { orders }))
    }

    async fn get_product(
        &self,
        request: Request<GetProductRequest>,
    ) -> Result<Response<GetProductResponse>, Status> {
        let GetProductRequest { product_ref, .. } = request.into_inner();
        let sought = sameness::number(&product_ref);
        let product = self.products.iter().find(|product| sameness::number(&product.product_ref) == sought);
        product.cloned().map_or_else(
            || Err(Status::not_found("no such product")),
            |product| Ok(Response::new(GetProductResponse { product: Some(product) })),
        )
    }

    async fn list_contacts(
        &self,
        request: Request<ListContactsRequest>,
    ) -> Result<Response<ListContactsResponse>, Status> {
        let ListContactsRequest { customer_id, max_results, .. } = request.into_inner();
        let theirs = self.contacts.iter().filter(|(customer, _)| *customer == customer_id);
        let contacts = theirs.map(|(_, contact)| contact.clone()).take(most(max_results)).collect();
        Ok(Response::new(ListContactsResponse { contacts }))
    }
}
