//! Summer: components by type, each made by a plugin that names those before it; all are made when the application is built. It
//! checks nothing before. Building one also reads its configuration and sets up its log for the whole process.

use std::marker::PhantomData;
use std::sync::Arc;

use graphs::Shape;
use summer::App;
use summer::app::AppBuilder;
use summer::plugin::ComponentRegistry;
use tokio::runtime::Runtime;
use work::{Container, repeated};

mod generated {
    #![allow(dead_code, reason = "fields are filled and not read")]
    use crate::Summer;
    use std::marker::PhantomData;
    include!(concat!(env!("OUT_DIR"), "/graphs.rs"));
}

pub use generated::all;

/// What the build script writes for each graph.
trait Components {
    const GRAPH: (Shape, usize);
    type First: ?Sized + Send + Sync + 'static;
    type Middle: ?Sized + Send + Sync + 'static;
    fn add(app: &mut AppBuilder);
}

struct Summer<C>(PhantomData<C>);

impl<C: Components> Container for Summer<C> {
    type Loaded = AppBuilder;
    type Checked = ();
    type App = Arc<App>;

    fn name(&self) -> &'static str {
        "summer"
    }

    fn graph(&self) -> (Shape, usize) {
        C::GRAPH
    }

    fn load(&self) -> AppBuilder {
        let mut app = App::new();
        // It would write a line for each plugin.
        app.use_config_str("[logger]\nenable = false\nlevel = \"error\"");
        C::add(&mut app);
        app
    }

    fn check(&self, _: AppBuilder) {}

    fn build(&self, mut loaded: AppBuilder, runtime: &Runtime) -> Arc<App> {
        runtime.block_on(loaded.build()).unwrap_or_else(|error| panic!("{error}"))
    }

    fn shared(&self, app: &mut Arc<App>) -> usize {
        app.get_component::<Arc<C::First>>().map_or(0, |first| Arc::strong_count(&first))
    }

    fn by_type(&self, app: &mut Arc<App>, turns: u32) -> Option<f64> {
        Some(repeated(turns, || app.get_component::<Arc<C::Middle>>()))
    }
}
