//! The words that stand for the values of small types in statements.

use crate::{
    delivery::Purpose,
    plain_words::Language,
    types::{Channel, Channels, Level},
};

/// A type whose few values are written as words.
pub trait Word: Copy + 'static {
    /// All values with their words.
    const WORDS: &'static [(Self, &'static str)];

    /// The words, for error messages.
    const FORM: &'static str;

    /// The value's word.
    fn word(self) -> &'static str;

    /// The value of a word.
    fn from_word(word: &str) -> Option<Self> {
        Self::WORDS.iter().find(|(_, known)| *known == word).map(|(value, _)| *value)
    }
}

/// One list gives the match (complete by the compiler), the table and the error message.
macro_rules! words {
    ($type:ty { $first:ident = $first_word:literal $(, $name:ident = $word:literal)* $(,)? }) => {
        impl Word for $type {
            const WORDS: &'static [(Self, &'static str)] =
                &[(Self::$first, $first_word) $(, (Self::$name, $word))*];
            const FORM: &'static str = concat!("one of: ", $first_word $(, ", ", $word)*);
            fn word(self) -> &'static str {
                match self {
                    Self::$first => $first_word,
                    $(Self::$name => $word,)*
                }
            }
        }
    };
}

words!(Channel { Consumption = "consumption", Generation = "generation" });
words!(Channels {
    Consumption = "consumption",
    Generation = "generation",
    Both = "consumption and generation",
});
words!(Level { Day = "day", Hour = "hour", Quarter = "15 minutes" });
words!(Purpose {
    EnergyAdvice = "energy advice",
    SolarSizing = "solar sizing",
    DemandResponse = "demand response",
    RateComparison = "rate comparison",
    Storage = "storage",
    ElectricVehicle = "electric vehicle",
    Research = "research",
    Other = "other",
});
words!(Language { English = "en", Spanish = "es" });
