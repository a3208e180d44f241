//! The programs: the same components under each container, as its own guide writes them.

use crate::shell::{Result, root};

/// A struct, and whom it needs.
pub(super) struct Component {
    pub(super) name: String,
    pub(super) needs: Vec<String>,
}

/// So many components that need three of the leaves each, and the leaves before them.
pub(super) fn graph(components: usize, leaves: usize) -> Vec<Component> {
    let leaf = |number: usize, back: usize| format!("L{}", (number * 7 + back * 3) % leaves);
    let of_leaf = |number| Component { name: format!("L{number}"), needs: Vec::new() };
    let needing =
        |number| Component { name: format!("A{number}"), needs: [1, 2, 3].map(|back| leaf(number, back)).into() };
    (0..leaves).map(of_leaf).chain((0..components).map(needing)).collect()
}

/// How a container's programs are written.
pub(super) struct Source {
    pub(super) name: &'static str,
    dependencies: Dependencies,
    uses: &'static str,
    /// One component.
    component: fn(&Component) -> String,
    /// `main`, which makes all and finds the last.
    main: fn(&[Component]) -> String,
}

enum Dependencies {
    Written(&'static str),
    /// Gone from this folder, with these features beside what stands there.
    Gone(&'static str),
    /// What the package of this peer in `benches/peers` depends on.
    Peer(&'static str),
}

const TOKIO: &str =
    "tokio = { version = \"1\", default-features = false, features = [\"macros\", \"rt-multi-thread\"] }";

impl Source {
    pub(super) fn dependencies(&self) -> Result<String> {
        match &self.dependencies {
            Dependencies::Written(text) => Ok((*text).to_owned()),
            Dependencies::Gone(features) => {
                Ok(format!("gone = {{ path = {:?}{features} }}", root().display().to_string()))
            }
            Dependencies::Peer(name) => {
                let manifest = root().join("benches/peers").join(name).join("Cargo.toml");
                let text =
                    std::fs::read_to_string(&manifest).map_err(|error| format!("{}: {error}", manifest.display()))?;
                let mut lines = text.lines().skip_while(|line| *line != "[dependencies]").skip(1);
                let line = lines.next().map(str::to_owned);
                let line = line.ok_or_else(|| format!("{}: no dependencies", manifest.display()))?;
                Ok(if *name == "summer" { format!("{line}\n{TOKIO}") } else { line })
            }
        }
    }

    pub(super) fn program(&self, components: &[Component]) -> String {
        let structs: Vec<_> = components.iter().map(self.component).collect();
        format!(
            "#![allow(dead_code, unused_imports)]\n{}\n{}\n{}",
            self.uses,
            structs.join("\n"),
            (self.main)(components)
        )
    }
}

/// The struct, with something before it and before each of its fields.
fn structure(component: &Component, before: &str, field: &str) -> String {
    let name = &component.name;
    format!("{before} struct {name} {{ {} }}", fields(component, |need| format!("{field} {}: Arc<{need}>", low(need))))
}

fn fields(component: &Component, one: impl Fn(&str) -> String) -> String {
    component.needs.iter().map(|need| one(need)).collect::<Vec<_>>().join(", ")
}

/// The name of a field.
fn low(name: &str) -> String {
    name.to_lowercase()
}

/// What is said for each component.
fn each(components: &[Component], one: impl Fn(&str) -> String) -> String {
    components.iter().map(|component| one(&component.name)).collect()
}

fn last(components: &[Component]) -> &str {
    components.last().map_or("", |component| &component.name)
}

pub(super) fn all() -> Vec<Source> {
    let by_hand = |name, dependencies| Source {
        name,
        dependencies: Dependencies::Written(dependencies),
        uses: "use std::sync::Arc;",
        component: |it| {
            let parameters = fields(it, |need| format!("{}: Arc<{need}>", low(need)));
            let new = format!("fn new({parameters}) -> Self {{ Self {{ {} }} }}", fields(it, low));
            format!("{}\nimpl {} {{ {new} }}", structure(it, "", ""), it.name)
        },
        main: |all| {
            let line = |it: &Component| {
                let arguments = fields(it, |need| format!("Arc::clone(&{})", low(need)));
                format!("let {} = Arc::new({}::new({arguments}));\n", low(&it.name), it.name)
            };
            let lines: String = all.iter().map(line).collect();
            let kept = each(all, |name| format!("std::hint::black_box(&{});\n", low(name)));
            format!("fn main() {{\n{lines}{kept}}}")
        },
    };
    let gone = |name, features| Source {
        name,
        dependencies: Dependencies::Gone(features),
        uses: "use std::sync::Arc;\nuse gone::prelude::*;",
        component: |it| structure(it, "#[derive(Goner)]", "#[gone]"),
        main: |all| {
            let loads = each(all, |name| format!("loader.load({name}::goner());\n"));
            format!(
                "fn all(loader: &mut Loader) {{\n{loads}}}\n#[gone::main] async fn main() -> gone::Result<()> {{\n\
                 Gone::load(all).run(async |last: Arc<{}>| {{ std::hint::black_box(last); Ok(()) }}).await }}",
                last(all)
            )
        },
    };
    let peer = |name, package, uses, component, main| Source {
        name,
        dependencies: Dependencies::Peer(package),
        uses,
        component,
        main,
    };
    vec![
        by_hand("by hand", ""),
        by_hand("by hand with tokio", TOKIO),
        gone("gone with macros alone", ", default-features = false, features = [\"macros\"]"),
        gone("gone", ""),
        peer("dill", "dill", "use std::sync::Arc;\nuse dill::*;", dill_component, dill_main),
        peer("ferrunix", "ferrunix", "use std::sync::Arc;\nuse ferrunix::*;", ferrunix_component, ferrunix_main),
        peer("rudi", "rudi", "use std::sync::Arc;\nuse rudi::*;", rudi_component, rudi_main),
        peer("shaku", "shaku", "use std::sync::Arc;\nuse shaku::*;", shaku_component, shaku_main),
        Source {
            name: "springtime-di",
            // The benchmarks do without its derive.
            dependencies: Dependencies::Written("springtime-di = \"1.0.4\""),
            uses: SPRINGTIME,
            component: springtime_component,
            main: springtime_main,
        },
        peer("summer", "summer", SUMMER, summer_component, summer_main),
    ]
}

fn dill_component(it: &Component) -> String {
    structure(it, "#[component]\n#[scope(Singleton)]", "")
}

fn dill_main(all: &[Component]) -> String {
    let add = each(all, |name| format!("builder.add::<{name}>();\n"));
    let last = last(all);
    format!(
        "fn main() {{\nlet mut builder = Catalog::builder();\n{add}builder.validate().unwrap();\n\
         std::hint::black_box(builder.build().get_one::<{last}>().unwrap());\n}}"
    )
}

fn ferrunix_component(it: &Component) -> String {
    structure(it, "#[derive(Inject)]\n#[provides(singleton)]", "#[inject(singleton)]")
}

fn ferrunix_main(all: &[Component]) -> String {
    let last = last(all);
    format!("fn main() {{ std::hint::black_box(Registry::global().singleton::<{last}>().unwrap()); }}")
}

fn rudi_component(it: &Component) -> String {
    let (name, parameters) = (&it.name, fields(it, |need| format!("{}: Arc<{need}>", low(need))));
    let made = fields(it, low);
    let make = format!("#[Singleton]\nfn Make{name}({parameters}) -> Arc<{name}> {{ Arc::new({name} {{ {made} }}) }}");
    format!("{}\n{make}", structure(it, "", ""))
}

fn rudi_main(all: &[Component]) -> String {
    let last = last(all);
    format!("fn main() {{ std::hint::black_box(Context::auto_register().resolve::<Arc<{last}>>()); }}")
}

fn shaku_component(it: &Component) -> String {
    let (name, fields) = (&it.name, fields(it, |need| format!("#[shaku(inject)] {}: Arc<dyn Is{need}>", low(need))));
    format!(
        "trait Is{name}: Interface {{}}\n#[derive(Component)]\n#[shaku(interface = Is{name})]\n\
         struct {name} {{ {fields} }}\nimpl Is{name} for {name} {{}}"
    )
}

fn shaku_main(all: &[Component]) -> String {
    let (names, last) = (each(all, |name| format!("{name}, ")), last(all));
    format!(
        "module! {{ All {{ components = [{names}], providers = [] }} }}\nfn main() {{\n\
         let all = All::builder().build();\nlet last: Arc<dyn Is{last}> = all.resolve();\nstd::hint::black_box(last);\n}}"
    )
}

const SPRINGTIME: &str = "use std::sync::Arc;\nuse springtime_di::Component;\nuse springtime_di::factory::ComponentFactoryBuilder;\n\
                          use springtime_di::instance_provider::TypedComponentInstanceProvider;";

fn springtime_component(it: &Component) -> String {
    structure(it, "#[derive(Component)]", "")
}

fn springtime_main(all: &[Component]) -> String {
    let last = last(all);
    format!(
        "fn main() {{\nlet mut factory = ComponentFactoryBuilder::new().unwrap().build();\n\
         std::hint::black_box(factory.primary_instance_typed::<{last}>().unwrap());\n}}"
    )
}

const SUMMER: &str = "use summer::App;\nuse summer::plugin::component::ComponentRef;\n\
                      use summer::plugin::{ComponentRegistry, service::Service};";

fn summer_component(it: &Component) -> String {
    let fields = fields(it, |need| format!("{}: ComponentRef<{need}>", low(need)));
    format!("#[derive(Clone, Service)]\nstruct {} {{ {fields} }}", it.name)
}

fn summer_main(all: &[Component]) -> String {
    let last = last(all);
    format!(
        "#[tokio::main] async fn main() {{\nlet app = App::new().build().await.unwrap();\n\
         std::hint::black_box(app.get_component::<{last}>().unwrap());\n}}"
    )
}
