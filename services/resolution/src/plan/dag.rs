//! Whether steps make a plan: names that name one step each, dependencies that
//! exist, and no circles.

use std::collections::HashMap;

use crate::plan::Step;
use crate::remedy::Flaw;

/// Most steps of a plan.
pub const MAX_STEPS: usize = 50;
/// Most steps of a plan, with those that revisions took out.
pub const MAX_STEPS_EVER: usize = 200;
/// Longest name of a step.
pub const MAX_STEP_ID: usize = 60;

/// Everything that is wrong with steps as a whole, each named by its field.
pub fn flaws(steps: &[Step]) -> Vec<Flaw> {
    let mut flaws = Vec::new();
    if steps.is_empty() || steps.len() > MAX_STEPS {
        flaws.push(Flaw::new("steps", format!("must be 1 to {MAX_STEPS}")));
    }
    // A plan that is far too long is not worth looking into; `MAX_STEPS` also
    // bounds how deep circles are searched for.
    let steps = &steps[..steps.len().min(MAX_STEPS)];
    let mut places = HashMap::new();
    for (index, step) in steps.iter().enumerate() {
        let field = format!("steps[{index}].step_id");
        if !is_name(&step.step_id) {
            let what = format!("must have 1 to {MAX_STEP_ID} lower-case letters, digits and dashes");
            flaws.push(Flaw::new(field, what));
        } else if places.contains_key(step.step_id.as_str()) {
            flaws.push(Flaw::new(field, format!("{} is used twice", step.step_id)));
        } else {
            places.insert(step.step_id.as_str(), index);
        }
    }
    for (index, step) in steps.iter().enumerate() {
        for (nth, needed) in step.depends_on.iter().enumerate() {
            let field = format!("steps[{index}].depends_on[{nth}]");
            if !places.contains_key(needed.as_str()) {
                flaws.push(Flaw::new(field, "is not a step of the plan"));
            } else if step.depends_on[..nth].contains(needed) {
                flaws.push(Flaw::new(field, format!("{needed} is named twice")));
            }
        }
    }
    flaws.extend(Walk::new(steps, &places).circles());
    flaws
}

fn is_name(text: &str) -> bool {
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    (1..=MAX_STEP_ID).contains(&text.len()) && text.bytes().all(plain)
}

/// A depth-first walk along the dependencies. A step met again while it is still
/// being walked closes a circle.
struct Walk<'a> {
    steps: &'a [Step],
    places: &'a HashMap<&'a str, usize>,
    path: Vec<usize>,
    walked: Vec<bool>,
    found: Vec<Flaw>,
}

impl<'a> Walk<'a> {
    fn new(steps: &'a [Step], places: &'a HashMap<&'a str, usize>) -> Self {
        Self { steps, places, path: Vec::new(), walked: vec![false; steps.len()], found: Vec::new() }
    }

    fn circles(mut self) -> Vec<Flaw> {
        for index in 0..self.steps.len() {
            self.walk(index);
        }
        self.found
    }

    fn walk(&mut self, index: usize) {
        if let Some(start) = self.path.iter().position(|&met| met == index) {
            let circle = self.circle(start);
            if !self.found.contains(&circle) {
                self.found.push(circle); // else a dependency is named twice
            }
        } else if !self.walked[index] {
            self.path.push(index);
            let steps = self.steps;
            for needed in &steps[index].depends_on {
                if let Some(&next) = self.places.get(needed.as_str()) {
                    self.walk(next);
                }
            }
            self.path.pop();
            self.walked[index] = true;
        }
    }

    fn circle(&self, start: usize) -> Flaw {
        let circle = &self.path[start..];
        let mut names: Vec<&str> = circle.iter().map(|&index| self.steps[index].step_id.as_str()).collect();
        names.push(names[0]);
        let last = circle[circle.len() - 1];
        Flaw::new(format!("steps[{last}].depends_on"), format!("makes a circle: {}", names.join(" → ")))
    }
}
