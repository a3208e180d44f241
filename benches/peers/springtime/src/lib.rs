//! Springtime: singletons by type and name, without its async feature, which is slower. It makes what it is asked for, so that it is
//! asked for all; it checks nothing before. Its registry is filled by hand: its derive would put the components of all graphs
//! into each.

use std::any::{Any, TypeId, type_name};
use std::hint::black_box;
use std::marker::PhantomData;
use std::sync::Arc;

use graphs::Shape;
use springtime_di::component::{Component, ComponentDowncast, Injectable};
use springtime_di::component_registry::conditional::SimpleContextFactory;
use springtime_di::component_registry::{
    ComponentAliasMetadata, ComponentDefinitionRegistry, ComponentMetadata,
    StaticComponentDefinitionRegistry as Registry,
};
use springtime_di::factory::{ComponentFactory, ComponentFactoryBuilder};
use springtime_di::instance_provider::{
    ComponentInstanceAnyPtr, ComponentInstanceProvider, ComponentInstanceProviderError, TypedComponentInstanceProvider,
};
use springtime_di::scope::SINGLETON;
use tokio::runtime::Runtime;
use work::{Container, repeated};

mod generated {
    #![allow(dead_code, reason = "fields are filled and not read")]
    use crate::Springtime;
    use std::marker::PhantomData;
    include!(concat!(env!("OUT_DIR"), "/graphs.rs"));
}

pub use generated::all;

/// What the build script writes for each graph.
trait Components {
    const GRAPH: (Shape, usize);
    type First: ?Sized + Injectable;
    type Middle: ?Sized + Injectable;
    fn add(registry: &mut Registry);
    fn get(factory: &mut ComponentFactory);
}

struct Springtime<C>(PhantomData<C>);

impl<C: Components> Container for Springtime<C> {
    type Loaded = Registry;
    type Checked = ();
    type App = ComponentFactory;

    fn name(&self) -> &'static str {
        "springtime-di"
    }

    fn graph(&self) -> (Shape, usize) {
        C::GRAPH
    }

    fn load(&self) -> Registry {
        let mut registry = whole(Registry::new(true, &SimpleContextFactory));
        C::add(&mut registry);
        registry
    }

    fn check(&self, _: Registry) {}

    fn build(&self, loaded: Registry, _: &Runtime) -> ComponentFactory {
        let mut factory = whole(ComponentFactoryBuilder::new()).with_definition_registry(Box::new(loaded)).build();
        C::get(&mut factory);
        factory
    }

    fn shared(&self, app: &mut ComponentFactory) -> usize {
        Arc::strong_count(&got(app.primary_instance_typed::<C::First>()))
    }

    fn by_type(&self, app: &mut ComponentFactory, turns: u32) -> Option<f64> {
        Some(repeated(turns, || app.primary_instance_typed::<C::Middle>()))
    }

    fn by_name(&self, app: &mut ComponentFactory, turns: u32) -> Option<f64> {
        let middle = format!("g_{}", C::GRAPH.1 / 2);
        Some(repeated(turns, || app.instance_by_name_typed::<C::Middle>(black_box(&middle))))
    }
}

/// What the derive says of a component.
fn add<T: Component + Send + Sync>(registry: &mut Registry, name: &str) {
    fn constructor<T: Component + Send + Sync>(
        provider: &mut dyn ComponentInstanceProvider,
    ) -> Result<ComponentInstanceAnyPtr, ComponentInstanceProviderError> {
        T::create(provider).map(|it| Arc::new(it) as ComponentInstanceAnyPtr)
    }
    let metadata = ComponentMetadata {
        names: [name.to_owned()].into_iter().collect(),
        scope: SINGLETON.to_owned(),
        constructor: constructor::<T>,
        cast: cast::<T, T>,
    };
    whole(registry.register_component(TypeId::of::<T>(), type_name::<T>(), &metadata));
}

/// What `#[component_alias]` says.
fn alias<T: ?Sized + ComponentDowncast<C>, C: Component>(registry: &mut Registry) {
    let metadata = ComponentAliasMetadata { is_primary: false, scope: None, cast: cast::<T, C> };
    let (of, target) = (TypeId::of::<T>(), TypeId::of::<C>());
    whole(registry.register_alias(of, target, type_name::<T>(), type_name::<C>(), &metadata));
}

fn cast<T: ?Sized + ComponentDowncast<C>, C: Component>(
    instance: ComponentInstanceAnyPtr,
) -> Result<Box<dyn Any>, ComponentInstanceAnyPtr> {
    T::downcast(instance).map(|it| Box::new(it) as Box<dyn Any>)
}

fn got<T: ?Sized>(it: Result<Arc<T>, ComponentInstanceProviderError>) -> Arc<T> {
    black_box(whole(it))
}

fn whole<T, E: std::fmt::Display>(result: Result<T, E>) -> T {
    result.unwrap_or_else(|error| panic!("{error}"))
}
