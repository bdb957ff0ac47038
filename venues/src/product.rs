//! The product families that a key, a ceiling or an order can touch.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A family of products with risks of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Product {
    /// Buying and selling what the account holds.
    Spot,
    /// Spot trading with borrowed funds.
    Margin,
    /// Futures, perpetuals and options.
    Derivatives,
}

impl Product {
    /// Every product, in the order of the enum.
    pub const ALL: &'static [Self] = &[Self::Spot, Self::Margin, Self::Derivatives];

    /// Returns the name used in configuration, API and storage.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Spot => "spot",
            Self::Margin => "margin",
            Self::Derivatives => "derivatives",
        }
    }

    const fn bit(self) -> u8 {
        match self {
            Self::Spot => 1,
            Self::Margin => 2,
            Self::Derivatives => 4,
        }
    }
}

impl fmt::Display for Product {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A set of products, stored and shown as a list in the order of [`Product::ALL`].
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(into = "Vec<Product>", from = "Vec<Product>")]
pub struct Products(u8);

impl Products {
    /// The empty set.
    pub const NONE: Self = Self(0);
    /// Spot alone.
    pub const SPOT: Self = Self::NONE.with(Product::Spot);
    /// Derivatives alone.
    pub const DERIVATIVES: Self = Self::NONE.with(Product::Derivatives);
    /// Spot and margin.
    pub const SPOT_AND_MARGIN: Self = Self::SPOT.with(Product::Margin);

    /// Returns the set with one product more.
    #[must_use]
    pub const fn with(self, product: Product) -> Self {
        Self(self.0 | product.bit())
    }

    /// Returns the products in either set.
    #[must_use]
    pub const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Returns the products in both sets.
    #[must_use]
    pub const fn intersection(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// Whether the set has no product.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Whether the set has this product.
    pub const fn contains(self, product: Product) -> bool {
        self.0 & product.bit() != 0
    }

    /// Iterates in the order of [`Product::ALL`].
    pub fn iter(self) -> impl Iterator<Item = Product> {
        Product::ALL.iter().copied().filter(move |product| self.contains(*product))
    }
}

impl FromIterator<Product> for Products {
    fn from_iter<I: IntoIterator<Item = Product>>(products: I) -> Self {
        products.into_iter().fold(Self::NONE, Self::with)
    }
}

impl From<Vec<Product>> for Products {
    fn from(products: Vec<Product>) -> Self {
        products.into_iter().collect()
    }
}

impl From<Products> for Vec<Product> {
    fn from(products: Products) -> Self {
        products.iter().collect()
    }
}

impl fmt::Debug for Products {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_is_stored_as_an_ordered_list() {
        let set = Products::from_iter([Product::Derivatives, Product::Spot, Product::Spot]);
        let json = serde_json::to_string(&set).unwrap();
        assert_eq!(json, r#"["spot","derivatives"]"#);
        assert_eq!(serde_json::from_str::<Products>(&json).unwrap(), set);
        assert!(serde_json::from_str::<Products>(r#"["everything"]"#).is_err());
    }

    #[test]
    fn sets_combine() {
        let all = Products::SPOT_AND_MARGIN.union(Products::DERIVATIVES);
        assert_eq!(all.iter().count(), Product::ALL.len());
        assert_eq!(all.intersection(Products::SPOT), Products::SPOT);
        assert!(Products::SPOT.intersection(Products::DERIVATIVES).is_empty());
    }
}
