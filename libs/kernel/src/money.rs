//! Exact money: minor units and a currency, nothing else.

/// A sum in the smallest unit of its currency.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Money {
    /// Minor units: fen, cents, yen.
    pub minor: i64,
    /// ISO 4217 code, three upper-case letters.
    pub currency: String,
}

/// Why a sum was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidMoney {
    /// Not three upper-case letters.
    #[error("currency_code must be three upper-case letters (ISO 4217)")]
    Currency,
    /// Units and nanos of different signs, or nanos out of range.
    #[error("units and nanos must have the same sign and nanos fewer than nine digits")]
    Nanos,
    /// More decimals than the currency has.
    #[error("the amount is finer than the currency's smallest unit")]
    TooFine,
    /// Beyond what can be counted.
    #[error("the amount is too large")]
    TooLarge,
}

const NANOS_PER_UNIT: i64 = 1_000_000_000;

/// Decimals of a currency, after ISO 4217; 2 where the list is silent.
pub fn decimals(currency: &str) -> u32 {
    match currency {
        "BIF" | "CLP" | "DJF" | "GNF" | "ISK" | "JPY" | "KMF" | "KRW" | "PYG" | "RWF" | "UGX" | "UYI"
        | "VND" | "VUV" | "XAF" | "XOF" | "XPF" => 0,
        "BHD" | "IQD" | "JOD" | "KWD" | "LYD" | "OMR" | "TND" => 3,
        "CLF" | "UYW" => 4,
        _ => 2,
    }
}

impl Money {
    /// From the units and nanos of `google.type.Money`.
    ///
    /// # Errors
    ///
    /// Fails if the currency is not three capital letters, if the nanos are out of range or of
    /// the other sign, if the sum is finer than the currency's smallest unit, or if it is too
    /// large to count.
    pub fn parse(currency: &str, units: i64, nanos: i32) -> Result<Self, InvalidMoney> {
        if currency.len() != 3 || !currency.bytes().all(|b| b.is_ascii_uppercase()) {
            return Err(InvalidMoney::Currency);
        }
        let nanos = i64::from(nanos);
        if nanos.abs() >= NANOS_PER_UNIT || units.signum() * nanos.signum() < 0 {
            return Err(InvalidMoney::Nanos);
        }
        let per_unit = 10_i64.pow(decimals(currency));
        let nanos_per_minor = NANOS_PER_UNIT / per_unit;
        if nanos % nanos_per_minor != 0 {
            return Err(InvalidMoney::TooFine);
        }
        let minor = units
            .checked_mul(per_unit)
            .and_then(|minor| minor.checked_add(nanos / nanos_per_minor))
            .ok_or(InvalidMoney::TooLarge)?;
        Ok(Self { minor, currency: currency.to_owned() })
    }

    /// The units and nanos of `google.type.Money`.
    pub fn units_and_nanos(&self) -> (i64, i32) {
        let per_unit = 10_i64.pow(decimals(&self.currency));
        let nanos = (self.minor % per_unit) * (NANOS_PER_UNIT / per_unit);
        (self.minor / per_unit, i32::try_from(nanos).unwrap_or(0))
    }
}

impl Money {
    /// How much, without the currency: `199.90`.
    pub fn amount(&self) -> String {
        let places = decimals(&self.currency) as usize;
        let per_unit = 10_u64.pow(decimals(&self.currency));
        let sign = if self.minor < 0 { "-" } else { "" };
        let size = self.minor.unsigned_abs();
        let whole = format!("{sign}{}", size / per_unit);
        if places > 0 { format!("{whole}.{:0places$}", size % per_unit) } else { whole }
    }
}

impl std::fmt::Display for Money {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.currency, self.amount())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn each_refusal_has_its_cause() {
        assert_eq!(Money::parse("usd", 1, 0), Err(InvalidMoney::Currency));
        assert_eq!(Money::parse("USD", 1, -1), Err(InvalidMoney::Nanos));
        assert_eq!(Money::parse("USD", 0, 1_000_000_000), Err(InvalidMoney::Nanos));
        assert_eq!(Money::parse("USD", 0, 1_000_000), Err(InvalidMoney::TooFine));
        assert_eq!(Money::parse("JPY", 0, 500_000_000), Err(InvalidMoney::TooFine));
        assert_eq!(Money::parse("USD", i64::MAX, 0), Err(InvalidMoney::TooLarge));
    }

    #[test]
    fn reads_as_people_write_it() {
        let text = |currency, units, nanos| Money::parse(currency, units, nanos).map(|m| m.to_string());
        assert_eq!(text("CNY", 199, 900_000_000).as_deref(), Ok("CNY 199.90"));
        assert_eq!(text("USD", -1, -750_000_000).as_deref(), Ok("USD -1.75"));
        assert_eq!(text("JPY", 500, 0).as_deref(), Ok("JPY 500"));
        assert_eq!(text("USD", 0, -50_000_000).as_deref(), Ok("USD -0.05"));
    }

    proptest! {
        #[test]
        fn money_in_its_wire_form_reads_back(minor in any::<i64>(), currency in "(USD|CNY|JPY|KWD|CLF)") {
            let money = Money { minor, currency };
            let (units, nanos) = money.units_and_nanos();
            prop_assert_eq!(Money::parse(&money.currency, units, nanos), Ok(money));
        }
    }
}
