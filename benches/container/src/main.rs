//! What the container costs, beside code that is wired by hand and beside other containers. See the README of `benches`.

mod budgets;
mod concurrent;
#[cfg(feature = "peers")]
mod contained;
mod first;
mod made;
#[cfg(feature = "peers")]
mod peers;
#[cfg(feature = "peers")]
mod table;
mod typed;

use gone::Result;

/// The argument for the comparison alone.
#[cfg(feature = "peers")]
const COMPARE: &str = "compare";

/// The graphs are whole: a mistake in one is a mistake of this program.
fn whole<T>(result: Result<T>) -> T {
    result.unwrap_or_else(|error| panic!("{error:?}"))
}

fn main() -> std::io::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_time().build()?;
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [argument, what] = arguments.as_slice()
        && argument == first::ARGUMENT
    {
        first::child(what, &runtime);
        return Ok(());
    }
    #[cfg(feature = "peers")]
    if arguments == [COMPARE] {
        peers::all(&runtime);
        return Ok(());
    }
    println!("## What the project asks of itself\n\nA time is that of one turn; `bar` is what it is held to.\n");
    budgets::all(&runtime);
    // A process of its own: the budgets have left a log in this one.
    #[cfg(feature = "peers")]
    std::process::Command::new(std::env::current_exe()?).arg(COMPARE).status()?;
    Ok(())
}
