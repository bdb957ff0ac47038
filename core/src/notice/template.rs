//! The words of notices: a subject and a plain text, with `{names}` in them that stand for what is known.
//!
//! Values are put in as they are, once: one that looks like a placeholder stays what it is. A value cannot end the
//! subject's line, nor a header, because control characters are taken out of it.

use serde::{Deserialize, Serialize};

use super::Topic;

/// The longest subject and text, in characters.
const SUBJECT_MAX: usize = 150;
const TEXT_MAX: usize = 8_000;

/// The words of a notice.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Template {
    /// One line.
    pub subject: String,
    /// Plain text.
    pub text: String,
}

/// What a letter says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rendered {
    /// One line.
    pub subject: String,
    /// Plain text.
    pub text: String,
}

/// Why words cannot be a notice's. Nothing was stored.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TemplateError {
    /// Empty or too long.
    #[error("`{0}` has 1 to {1} characters")]
    Length(&'static str, usize),
    /// A control character, or in the subject an end of line.
    #[error("`{0}` has a control character")]
    Control(&'static str),
    /// A brace that belongs to no placeholder.
    #[error("a brace stands alone: a placeholder is `{{name}}`")]
    Brace,
    /// Not known for this notice.
    #[error("`{{{name}}}` is not known here: known are {known}")]
    Unknown {
        /// What stands between the braces.
        name: String,
        /// What may.
        known: String,
    },
}

/// A part of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part<'a> {
    Words(&'a str),
    Name(&'a str),
}

impl Template {
    /// Whether these can be the words of a notice.
    ///
    /// # Errors
    /// [`TemplateError`] says why not.
    pub fn check(&self, topic: Topic) -> Result<(), TemplateError> {
        for (name, text, most) in [("subject", &self.subject, SUBJECT_MAX), ("text", &self.text, TEXT_MAX)] {
            if text.trim().is_empty() || text.chars().count() > most {
                return Err(TemplateError::Length(name, most));
            }
            let may_end_lines = name == "text";
            if text.chars().any(|c| c.is_control() && !(c == '\n' && may_end_lines)) {
                return Err(TemplateError::Control(name));
            }
            for part in parts(text)? {
                if let Part::Name(name) = part
                    && !topic.placeholders().any(|known| known == name)
                {
                    let known = topic.placeholders().map(|known| format!("{{{known}}}")).collect::<Vec<_>>();
                    return Err(TemplateError::Unknown { name: name.to_owned(), known: known.join(", ") });
                }
            }
        }
        Ok(())
    }

    /// What it says, with `value` for each placeholder.
    ///
    /// # Errors
    /// [`TemplateError::Brace`] for words that [`Self::check`] refuses.
    pub fn render<'v>(&self, value: impl Fn(&str) -> Option<&'v str>) -> Result<Rendered, TemplateError> {
        let filled = |text: &str, keep: fn(&char) -> bool| {
            let mut out = String::with_capacity(text.len());
            for part in parts(text)? {
                match part {
                    Part::Words(words) => out.push_str(words),
                    Part::Name(name) => out.extend(value(name).unwrap_or_default().chars().filter(keep)),
                }
            }
            Ok(out)
        };
        Ok(Rendered {
            subject: filled(&self.subject, |c| !c.is_control())?,
            text: filled(&self.text, |c| !c.is_control() || *c == '\n')?,
        })
    }
}

/// Takes a text apart.
fn parts(text: &str) -> Result<Vec<Part<'_>>, TemplateError> {
    let (mut parts, mut rest) = (Vec::new(), text);
    while let Some((words, after)) = rest.split_once('{') {
        let (name, after) = after.split_once('}').ok_or(TemplateError::Brace)?;
        if words.contains('}') || name.contains('{') {
            return Err(TemplateError::Brace);
        }
        parts.extend([Part::Words(words), Part::Name(name)]);
        rest = after;
    }
    if rest.contains('}') {
        return Err(TemplateError::Brace);
    }
    parts.push(Part::Words(rest));
    Ok(parts)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn template(subject: &str, text: &str) -> Template {
        Template { subject: subject.to_owned(), text: text.to_owned() }
    }

    #[test]
    fn values_are_put_in_once_and_end_no_line() {
        let value = |name: &str| match name {
            "owner" => Some("{text}\r\nBcc: eve@example.org"),
            "text" => Some("one\ntwo\r\0"),
            _ => None,
        };
        let rendered = template("to {owner}: {none}!", "{text}, {owner}").render(value).unwrap();
        assert_eq!(rendered.subject, "to {text}Bcc: eve@example.org: !");
        assert_eq!(rendered.text, "one\ntwo, {text}\nBcc: eve@example.org");
    }

    #[test]
    fn words_that_cannot_be_filled_are_refused() {
        let check = |subject: &str, text: &str| template(subject, text).check(Topic::IncidentNotified);
        assert_eq!(check("{tenant}", "{text} {owner}\n"), Ok(()));
        assert_eq!(check(" ", "x"), Err(TemplateError::Length("subject", SUBJECT_MAX)));
        assert_eq!(check("x", &"x".repeat(TEXT_MAX + 1)), Err(TemplateError::Length("text", TEXT_MAX)));
        assert_eq!(check("a\nBcc: x", "x"), Err(TemplateError::Control("subject")));
        assert_eq!(check("a", "x\rBcc: x"), Err(TemplateError::Control("text")));
        for alone in ["{", "}", "a}b{owner}", "{owner", "{a{owner}}"] {
            assert_eq!(check("x", alone), Err(TemplateError::Brace), "{alone}");
        }
        for unknown in ["{days}", "{}", "{ owner }", "{secret}"] {
            assert!(matches!(check("x", unknown), Err(TemplateError::Unknown { .. })), "{unknown}");
        }
    }
}
