//! The rpcs of the contracts, and the rules by which HTTP reaches them.

use std::collections::HashMap;

use http::Method;
use prost_reflect::{
    DescriptorError, DescriptorPool, DynamicMessage, MessageDescriptor, MethodDescriptor, Value,
};

use crate::limits::MAX_PATH_BYTES;
use crate::template::{SplitPath, Template, TemplateError};

/// The option that carries an rpc's rule.
const HTTP: &str = "google.api.http";
/// The field of the rule that is the whole request.
const WHOLE: &str = "*";

/// An rpc.
#[derive(Clone, Debug)]
pub struct Rpc {
    /// Its path in gRPC: `/redress.cases.v1.CaseService/GetCase`.
    pub path: String,
    /// Its request.
    pub input: MessageDescriptor,
    /// Its answer.
    pub output: MessageDescriptor,
    /// Whether it is asked with a stream.
    pub streams_requests: bool,
    /// Whether it is answered with a stream.
    pub streams_answers: bool,
    pub(crate) descriptor: MethodDescriptor,
}

/// What an HTTP request's body is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RouteBody {
    /// There is none; fields that are not in the path are in the query.
    None,
    /// The request; nothing is in the query.
    Whole,
    /// One field of the request; others are in the query.
    Field(String),
}

/// One way to an rpc.
#[derive(Clone, Debug)]
pub struct Route {
    /// The HTTP method.
    pub method: Method,
    /// The paths.
    pub template: Template,
    /// What the body is.
    pub body: RouteBody,
    /// The rpc's place among [`Contracts::rpcs`].
    pub rpc: usize,
}

/// Contracts that were read.
#[derive(Debug)]
pub struct Contracts {
    pool: DescriptorPool,
    rpcs: Vec<Rpc>,
    routes: Vec<Route>,
    by_path: HashMap<String, usize>,
}

/// Contracts that cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ContractsError {
    /// The descriptors cannot.
    #[error("the descriptors cannot be read")]
    Descriptors(#[from] DescriptorError),
    /// A template cannot.
    #[error("{rpc}: {error}")]
    Template {
        /// The rpc it is of.
        rpc: String,
        /// What is wrong with it.
        error: TemplateError,
    },
    /// A rule names a field that the request does not have, or that has no place there.
    #[error("{rpc}: its rule names {field:?}, which is no such field of its request")]
    Field {
        /// The rpc it is of.
        rpc: String,
        /// What was named.
        field: String,
    },
    /// Two rpcs would be reached by the same requests.
    #[error("{first} and {second} are both {method} {shape}")]
    Twice {
        /// One rpc.
        first: String,
        /// The other.
        second: String,
        /// Their HTTP method.
        method: Method,
        /// Their paths.
        shape: String,
    },
}

/// What a method and a path mean.
#[derive(Debug)]
pub enum Found<'a> {
    /// An rpc, by this route, with the values of its variables; one that is no UTF-8 is none.
    Route(&'a Route, Vec<Result<String, ()>>),
    /// Other methods would mean an rpc.
    Methods(Vec<&'a Method>),
    /// Nothing.
    Nothing,
}

impl Contracts {
    /// Reads sets of descriptors; of the packages below `package`, the rpcs.
    ///
    /// # Errors
    ///
    /// Fails where descriptors or a rule cannot be read, or two rules mean the same requests.
    pub fn read(sets: &[&[u8]], package: &str) -> Result<Self, ContractsError> {
        let mut pool = DescriptorPool::new();
        for set in sets {
            pool.decode_file_descriptor_set(*set)?;
        }
        let mut contracts =
            Self { pool: pool.clone(), rpcs: Vec::new(), routes: Vec::new(), by_path: HashMap::new() };
        for service in pool.services().filter(|service| is_below(service.package_name(), package)) {
            for method in service.methods() {
                contracts.add(&method)?;
            }
        }
        contracts.routes.sort_by_cached_key(|route| route.template.rank());
        contracts.refuse_twins()?;
        Ok(contracts)
    }

    fn add(&mut self, method: &MethodDescriptor) -> Result<(), ContractsError> {
        let path = format!("/{}/{}", method.parent_service().full_name(), method.name());
        let at = self.rpcs.len();
        let input = method.input();
        for (verb, rule) in rules(&self.pool, method) {
            self.routes.push(route(&path, at, verb, &rule, &input)?);
        }
        self.by_path.insert(path.clone(), at);
        self.rpcs.push(Rpc {
            path,
            input: method.input(),
            output: method.output(),
            streams_requests: method.is_client_streaming(),
            streams_answers: method.is_server_streaming(),
            descriptor: method.clone(),
        });
        Ok(())
    }

    fn refuse_twins(&self) -> Result<(), ContractsError> {
        let mut seen = HashMap::new();
        for route in &self.routes {
            let shape = route.template.shape();
            if let Some(first) = seen.insert((route.method.clone(), shape.clone()), route.rpc) {
                let of = |rpc: usize| self.rpcs[rpc].path.clone();
                let (first, second) = (of(first), of(route.rpc));
                return Err(ContractsError::Twice { first, second, method: route.method.clone(), shape });
            }
        }
        Ok(())
    }

    /// All rpcs.
    pub fn rpcs(&self) -> &[Rpc] {
        &self.rpcs
    }

    /// All routes.
    pub fn routes(&self) -> &[Route] {
        &self.routes
    }

    /// All descriptors.
    pub fn pool(&self) -> &DescriptorPool {
        &self.pool
    }

    /// The rpc that a path of gRPC means.
    pub fn rpc(&self, path: &str) -> Option<usize> {
        self.by_path.get(path).copied()
    }

    /// What a method and a path mean; HEAD means what GET does. A verb is one for every method:
    /// what is closed by POST is not read by GET as an id that ends in `:close`.
    pub fn route(&self, method: &Method, path: &str) -> Found<'_> {
        let split = if path.len() > MAX_PATH_BYTES { None } else { SplitPath::new(path) };
        let Some(split) = split else { return Found::Nothing };
        let wanted = if method == Method::HEAD { &Method::GET } else { method };
        let mut others = Vec::new();
        let mut is_verb = false;
        // Those with a verb come first.
        for route in &self.routes {
            if is_verb && !route.template.has_verb() {
                break;
            }
            if route.method != *wanted && others.contains(&&route.method) {
                continue;
            }
            let Some(values) = route.template.matches(&split) else { continue };
            if route.method == *wanted {
                return Found::Route(route, values);
            }
            others.push(&route.method);
            is_verb |= route.template.has_verb();
        }
        if others.is_empty() { Found::Nothing } else { Found::Methods(others) }
    }
}

fn is_below(package: &str, above: &str) -> bool {
    package.strip_prefix(above).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

/// A rule and its further bindings, each with its HTTP method.
fn rules(pool: &DescriptorPool, method: &MethodDescriptor) -> Vec<(Method, DynamicMessage)> {
    let Some(extension) = pool.get_extension_by_name(HTTP) else { return Vec::new() };
    let options = method.options();
    if !options.has_extension(&extension) {
        return Vec::new();
    }
    let value = options.get_extension(&extension);
    let Some(rule) = value.as_message() else { return Vec::new() };
    let more = rule.get_field_by_name("additional_bindings");
    let more: Vec<_> = more
        .iter()
        .filter_map(|more| more.as_list())
        .flatten()
        .filter_map(Value::as_message)
        .cloned()
        .collect();
    let all = std::iter::once(rule.clone()).chain(more);
    all.filter_map(|rule| Some((http_method(&rule)?, rule))).collect()
}

fn http_method(rule: &DynamicMessage) -> Option<Method> {
    [
        ("get", Method::GET),
        ("put", Method::PUT),
        ("post", Method::POST),
        ("delete", Method::DELETE),
        ("patch", Method::PATCH),
    ]
    .into_iter()
    .find_map(|(name, method)| rule.has_field_by_name(name).then_some(method))
}

fn text(rule: &DynamicMessage, field: &str) -> String {
    rule.get_field_by_name(field).and_then(|value| value.as_str().map(str::to_owned)).unwrap_or_default()
}

fn route(
    path: &str,
    rpc: usize,
    method: Method,
    rule: &DynamicMessage,
    input: &MessageDescriptor,
) -> Result<Route, ContractsError> {
    let pattern = text(rule, &method.as_str().to_ascii_lowercase());
    let template = Template::parse(&pattern)
        .map_err(|error| ContractsError::Template { rpc: path.to_owned(), error })?;
    let unknown = |field: &str| ContractsError::Field { rpc: path.to_owned(), field: field.to_owned() };
    for field in template.fields() {
        crate::scalar::field_at(input, field).ok_or_else(|| unknown(field))?;
    }
    let body = match text(rule, "body").as_str() {
        "" => RouteBody::None,
        WHOLE => RouteBody::Whole,
        field if input.get_field_by_name(field).is_some() => RouteBody::Field(field.to_owned()),
        field => return Err(unknown(field)),
    };
    Ok(Route { method, template, body, rpc })
}
