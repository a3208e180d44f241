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

    /// The namespace of a line that names none.
    pub(crate) fn namespace_of_crate(&self, target: &str) -> String {
        of_crate(&self.service, target)
    }

    /// The namespace of a line whose target was given by hand: that target under the service.
    pub(crate) fn namespace_by_hand(&self, target: &str, module_path: Option<&str>) -> Option<String> {
        if target.is_empty() || module_path == Some(target) {
            return None;
        }
        let mut namespace = String::new();
        self.push_below(&mut namespace, target);
        Some(namespace)
    }

    /// Writes a target as a namespace under the service: `sqlx::query` as `service.sqlx.query`.
    pub(crate) fn push_below(&self, out: &mut String, target: &str) {
        out.push_str(&self.service);
        for name in target.split("::").filter(|name| !name.is_empty()) {
            if !out.is_empty() {
                out.push('.');
            }
            out.push_str(name);
        }
    }
}

/// The service's own; of a line of Gone's own crates that of the component under it, so that
/// `gone_db` logs as `service.db` and the container as `service.gone`.
fn of_crate(service: &str, target: &str) -> String {
    let krate = target.split("::").next().unwrap_or_default();
    match krate.strip_prefix("gone_").or((krate == "gone").then_some(krate)) {
        Some(component) if !component.is_empty() && !service.is_empty() => format!("{service}.{component}"),
        _ => service.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::of_crate;

    #[test]
    fn a_component_of_gone_logs_under_its_own_name() {
        for (target, expected) in [
            ("gone_db::pool", "app.db"),
            ("gone", "app.gone"),
            ("gone_", "app"),
            ("gonery::x", "app"),
            ("app::main", "app"),
        ] {
            assert_eq!(of_crate("app", target), expected, "{target}");
        }
        assert_eq!(of_crate("", "gone_db"), "");
    }
}
