//! What a code means and what to do about it.

use serde_json::{Value, json};

use crate::args::ExplainCommand;
use crate::explain::{self, Entry};
use crate::failure::{Failure, Outcome};
use crate::output::Output;

/// Explains one code, or lists all.
pub fn run(command: &ExplainCommand, output: Output) -> Outcome<()> {
    let Some(code) = &command.code else {
        let lines: Vec<_> = explain::all()
            .map(|entry| format!("{:<28} {}", entry.code, entry.meaning))
            .collect();
        let values: Vec<_> = explain::all().map(value).collect();
        output.result(lines.join("\n"), &json!({ "codes": values }));
        return Ok(());
    };
    let entry = explain::find(code).ok_or_else(|| {
        Failure::usage("code_unknown", format!("`{code}` is not a known code"))
            .fix("list them: realdid explain")
    })?;
    output.result(
        format!("{}\n{}\nfix: {}", entry.code, entry.meaning, entry.fix),
        &value(entry),
    );
    Ok(())
}

fn value(entry: &Entry) -> Value {
    json!({ "code": entry.code, "meaning": entry.meaning, "fix": entry.fix })
}
