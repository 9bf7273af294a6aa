//! Hints: what departments are asked by themselves when signals are raised.

use super::Series;

/// Most hints of a tenant.
pub const MAX_HINTS: usize = 20;
/// Longest instructions to a department.
pub const MAX_INSTRUCTIONS: usize = 2_000;

kernel::numbered! {
    /// What a department is asked.
    Kind {
        /// To see to its stock.
        Stock = 1,
        /// To find out whether something must be recalled.
        Recall = 2,
    }
}

/// What a department is asked by itself when a signal is raised.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hint {
    /// What it is asked.
    pub kind: Kind,
    /// The department.
    pub department_id: String,
    /// Of which signals.
    pub series: Series,
    /// What it should know.
    pub instructions: String,
}

impl Hint {
    /// Whether it applies to signals of a series.
    pub fn applies_to(&self, series: &Series) -> bool {
        let is_same = |wanted: &Option<String>, known: &Option<String>| wanted.is_none() || wanted == known;
        let is_category = self.series.category.as_ref().is_none_or(|wanted| {
            let below = series.category.as_ref().and_then(|known| known.strip_prefix(wanted.as_str()));
            below.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        });
        is_category
            && is_same(&self.series.product, &series.product)
            && is_same(&self.series.region, &series.region)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of_category(category: &str) -> Series {
        Series { category: Some(category.to_owned()), ..Series::default() }
    }

    fn hint(series: Series) -> Hint {
        let (department_id, instructions) = ("warehouse".to_owned(), String::new());
        Hint { kind: Kind::Stock, department_id, series, instructions }
    }

    #[test]
    fn a_hint_of_a_category_applies_to_what_is_below_it_and_to_no_other_name_that_begins_so() {
        let goods = hint(of_category("goods"));
        assert!(goods.applies_to(&of_category("goods")) && goods.applies_to(&of_category("goods/damaged")));
        assert!(!goods.applies_to(&of_category("goodsyard")) && !goods.applies_to(&Series::default()));
        let all = hint(Series::default());
        assert!(all.applies_to(&Series::default()) && all.applies_to(&of_category("goods")));
        let named = |product: &str| Series { product: Some(product.to_owned()), ..of_category("goods") };
        let kettles = Hint { series: named("kettle"), ..goods };
        assert!(kettles.applies_to(&named("kettle")) && !kettles.applies_to(&named("cup")));
        assert!(!kettles.applies_to(&of_category("goods")));
    }
}
