//! Where a line comes from, as it is written: caller, namespace and service.

use crate::clog::Core;
use crate::config::Format;
use crate::style::Style;

impl Core {
    /// How values are written.
    pub(crate) fn style(&self) -> Style<'_> {
        Style {
            as_json: self.format == Format::Json,
            longest: self.lines.max_field,
            secrets: &self.lines.secrets,
            keys: Some(&self.lines.keys),
        }
    }

    /// Writes the caller, whose path is as it is to be shown: `,"caller":"file:line"`, or ` (file:line)`.
    pub(crate) fn write_caller(&self, out: &mut String, file: &str, line: Option<u64>) {
        if !self.add_source || file.is_empty() {
            return;
        }
        let style = self.style();
        let (before, after) = if style.as_json { (",\"caller\":\"", "\"") } else { (" (", ")") };
        out.push_str(before);
        style.bare(out, file, self.lines.max_name);
        if let Some(line) = line {
            out.push(':');
            out.push_str(itoa::Buffer::new().format(line));
        }
        out.push_str(after);
    }

    /// Writes namespace and service: `,"namespace":"a.b","service":"a"`, or `a.b`. An empty service
    /// is worked out.
    pub(crate) fn write_place(&self, out: &mut String, namespace: &str, service: &str) {
        let (style, longest) = (self.style(), self.lines.max_name);
        if !style.as_json {
            return style.bare(out, namespace, longest);
        }
        out.push_str(",\"namespace\":\"");
        style.bare(out, namespace, longest);
        out.push_str("\",\"service\":\"");
        style.bare(out, if service.is_empty() { self.root(namespace) } else { service }, longest);
        out.push('"');
    }

    /// The root of a namespace: the log's own service where it lies below it, else its first name.
    fn root<'a>(&'a self, namespace: &'a str) -> &'a str {
        match namespace.strip_prefix(self.service.as_str()) {
            Some(rest) if rest.is_empty() || rest.starts_with('.') => &self.service,
            _ => namespace.split('.').next().unwrap_or_default(),
        }
    }
}

/// The namespace of a line that names none: the service's own. A target that was given by hand
/// stands under it, and a component of Gone by its name, so that `gone_db` logs as `service.db`
/// and the container as `service.gone`.
pub(crate) fn namespace_of(service: &str, target: &str, module_path: Option<&str>) -> String {
    let mut namespace = String::new();
    match component(target) {
        Some(component) => push_below(&mut namespace, service, component),
        None if module_path == Some(target) => namespace.push_str(service),
        None => push_below(&mut namespace, service, target),
    }
    namespace
}

/// Writes a target as a namespace under the service: `sqlx::query` as `service.sqlx.query`.
pub(crate) fn push_below(out: &mut String, service: &str, target: &str) {
    out.push_str(service);
    for name in target.split("::").filter(|name| !name.is_empty()) {
        if !out.is_empty() {
            out.push('.');
        }
        out.push_str(name);
    }
}

/// The name of the component, where a target is one of Gone's own crates.
fn component(target: &str) -> Option<&str> {
    let krate = target.split("::").next().unwrap_or_default();
    krate.strip_prefix("gone_").or((krate == "gone").then_some(krate)).filter(|component| !component.is_empty())
}

#[cfg(test)]
mod tests {
    use super::component;

    #[test]
    fn a_component_of_gone_is_known_by_its_crate() {
        for (target, expected) in [
            ("gone_db::pool", Some("db")),
            ("gone_db", Some("db")),
            ("gone", Some("gone")),
            ("gone_", None),
            ("gonery::x", None),
            ("app::main", None),
            ("", None),
        ] {
            assert_eq!(component(target), expected, "{target}");
        }
    }
}
