//! Root causes: a tree of paths, as a tenant tells them apart.

use serde::{Deserialize, Serialize};

/// Most root causes.
pub const MAX_CAUSES: usize = 500;
/// Most names of a path.
pub const MAX_DEPTH: usize = 4;
/// Longest path.
pub const MAX_PATH: usize = 200;
/// Longest name.
pub const MAX_NAME: usize = 100;

/// A root cause that can be named.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RootCause {
    /// Its path, as `process/handover`.
    pub path: String,
    /// How it reads in English.
    pub name: String,
    /// How it reads in Chinese.
    pub name_zh: String,
}

/// The root causes that are told apart.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RootCauses(pub Vec<RootCause>);

/// What everybody has: the branches of a cause-and-effect diagram, as services use them.
const SHIPPED: [(&str, &str, &str); 24] = [
    ("people", "People", "人员"),
    ("people/conduct", "Conduct of staff", "服务态度"),
    ("people/skill", "Knowledge or skill", "知识与技能"),
    ("people/staffing", "Too few staff", "人手不足"),
    ("process", "Process", "流程"),
    ("process/handover", "Handover between teams", "部门交接"),
    ("process/missing", "No process for it", "流程缺失"),
    ("process/not-followed", "Process not followed", "未按流程执行"),
    ("product", "Product or service", "产品或服务"),
    ("product/design", "Design", "设计"),
    ("product/quality", "Quality or defect", "质量缺陷"),
    ("product/stock", "Stock", "库存"),
    ("supplier", "Supplier", "供应商与合作方"),
    ("supplier/carrier", "Carrier", "承运商"),
    ("supplier/goods", "Goods supplied", "供货"),
    ("system", "Systems", "系统"),
    ("system/fault", "Fault or outage", "故障"),
    ("system/data", "Wrong data", "数据错误"),
    ("information", "Information to customers", "信息告知"),
    ("information/misleading", "Unclear or misleading", "不清晰或误导"),
    ("information/missing", "Not told", "未告知"),
    ("environment", "Environment", "外部环境"),
    ("environment/weather", "Weather or disaster", "天气与灾害"),
    ("environment/regulation", "Law or regulation", "法律法规"),
];

impl RootCauses {
    /// What everybody has who has settled nothing.
    pub fn shipped() -> Self {
        let cause = |(path, name, name_zh): &(&str, &str, &str)| RootCause {
            path: (*path).to_owned(),
            name: (*name).to_owned(),
            name_zh: (*name_zh).to_owned(),
        };
        Self(SHIPPED.iter().map(cause).collect())
    }

    /// Whether there is a cause of a path.
    pub fn has(&self, path: &str) -> bool {
        self.0.iter().any(|cause| cause.path == path)
    }
}

/// Whether a text can be a path.
pub fn is_path(text: &str) -> bool {
    let is_name = |name: &str| {
        let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'.';
        !name.is_empty() && name.bytes().all(plain)
    };
    text.len() <= MAX_PATH && text.split('/').count() <= MAX_DEPTH && text.split('/').all(is_name)
}

/// What a path lies below; none at the top.
pub fn parent(path: &str) -> Option<&str> {
    path.rsplit_once('/').map(|(parent, _)| parent)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn the_shipped_causes_are_a_tree_that_a_tenant_could_have_made() {
        let RootCauses(causes) = RootCauses::shipped();
        let paths: BTreeSet<&str> = causes.iter().map(|cause| cause.path.as_str()).collect();
        assert_eq!(paths.len(), causes.len());
        for cause in &causes {
            assert!(is_path(&cause.path) && !cause.name.is_empty() && !cause.name_zh.is_empty(), "{cause:?}");
            assert!(parent(&cause.path).is_none_or(|parent| paths.contains(parent)), "{cause:?}");
        }
    }

    #[test]
    fn paths_are_plain_and_not_too_deep() {
        assert!(is_path("a/b-1/c.d/e"));
        for wrong in ["", "/", "a/", "a//b", "A", "a b", "a/b/c/d/e", "供应商"] {
            assert!(!is_path(wrong), "{wrong}");
        }
        assert!(!is_path(&"a".repeat(201)));
    }
}
