//! How a map is drawn: the part of the country it shows, outlines cut to it and thinned out, and names that do not lie
//! on one another.
use serde::Serialize;

use crate::domain::place::Point;

/// A point on the drawing.
type Spot = (f64, f64);

/// The part of the country that a drawing shows, and its scale.
#[derive(Debug, Clone, Copy)]
pub struct Frame {
    left: f64,
    top: f64,
    wide: f64,
    high: f64,
    scale: f64,
}

/// A name on a map.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Name {
    pub x: f64,
    /// Where the first line stands.
    pub y: f64,
    pub lines: Vec<String>,
    /// Whether it names what the map is about.
    pub main: bool,
}

/// How much a name takes up: letters and lines of the main ones, and of the others.
const MAIN: (f64, f64) = (11.5, 24.0);
const OTHER: (f64, f64) = (8.6, 18.0);
/// The longest line of a name, in letters.
const LINE: usize = 13;

impl Frame {
    /// The frame around places, each given by its left, top, right and bottom, with some of what is beside them.
    pub fn around(places: impl Iterator<Item = [i32; 4]>, width: f64) -> Option<Self> {
        let all = places.reduce(|a, b| {
            [
                a[0].min(b[0]),
                a[1].min(b[1]),
                a[2].max(b[2]),
                a[3].max(b[3]),
            ]
        })?;
        let [left, top, right, bottom] = all.map(f64::from);
        let margin = ((right - left).max(bottom - top) * 0.16).max(60.0);
        let (mut wide, mut high) = (right - left + 2.0 * margin, bottom - top + 2.0 * margin);
        // Neither a strip nor a tower.
        wide = wide.max(high * 0.8);
        high = high.max(wide * 0.62);
        let (x, y) = (f64::midpoint(left, right), f64::midpoint(top, bottom));
        Some(Self {
            left: x - wide / 2.0,
            top: y - high / 2.0,
            wide,
            high,
            scale: width / wide,
        })
    }

    /// Left, top, right and bottom of what is seen.
    #[expect(
        clippy::cast_possible_truncation,
        reason = "the country is some ten thousand steps wide"
    )]
    pub fn edges(&self) -> [i32; 4] {
        [
            self.left,
            self.top,
            self.left + self.wide,
            self.top + self.high,
        ]
        .map(|edge| edge.round() as i32)
    }

    /// How high the drawing is.
    pub fn height(&self) -> f64 {
        (self.high * self.scale).round()
    }

    fn width(&self) -> f64 {
        (self.wide * self.scale).round()
    }

    /// A ring on the drawing, cut off a little beyond its edge so that the cut is not seen.
    fn cut(&self, ring: &[Point]) -> Vec<Spot> {
        let spots = ring
            .iter()
            .map(|(x, y)| {
                (
                    (f64::from(*x) - self.left) * self.scale,
                    (f64::from(*y) - self.top) * self.scale,
                )
            })
            .collect();
        const BEYOND: f64 = 6.0;
        let (right, bottom) = (self.width() + BEYOND, self.height() + BEYOND);
        let spots = halved(spots, |p| p.0 + BEYOND);
        let spots = halved(spots, |p| right - p.0);
        let spots = halved(spots, |p| p.1 + BEYOND);
        halved(spots, |p| bottom - p.1)
    }

    /// The path of an outline, on a grid of `grain` units; `None` where nothing of it is seen.
    pub fn path(&self, rings: &[Vec<Point>], grain: f64) -> Option<String> {
        let drawn: Vec<Vec<(i64, i64)>> = rings
            .iter()
            .map(|ring| thinned(&self.cut(ring), grain))
            .collect();
        let mut path = String::new();
        for ring in drawn
            .iter()
            .filter(|ring| ring.len() > 2 && twice_area(ring).abs() > 8)
        {
            write(&mut path, ring, grain);
        }
        (!path.is_empty()).then_some(path)
    }

    /// The names of outlines, the most important first, each where it has room; one of the surroundings only where it
    /// fits.
    pub fn names<'a>(
        &self,
        outlines: impl Iterator<Item = (&'a str, &'a [Vec<Point>], bool)>,
    ) -> Vec<Name> {
        let (mut names, mut taken): (Vec<Name>, Vec<[f64; 4]>) = (Vec::new(), Vec::new());
        for (name, rings, main) in outlines {
            let cut: Vec<Vec<Spot>> = rings
                .iter()
                .map(|ring| self.cut(ring))
                .filter(|r| r.len() > 2)
                .collect();
            let lines = broken(name);
            let (letter, line) = if main { MAIN } else { OTHER };
            let longest = lines
                .iter()
                .map(|l| l.chars().count())
                .max()
                .unwrap_or_default();
            #[expect(clippy::cast_precision_loss, reason = "names are short")]
            let (wide, high) = (longest as f64 * letter, lines.len() as f64 * line);
            let Some((x, y)) = self.room_for(&cut, (wide, high), main, &taken) else {
                continue;
            };
            taken.push([
                x - wide / 2.0,
                y - high / 2.0,
                x + wide / 2.0,
                y + high / 2.0,
            ]);
            names.push(Name {
                x: x.round(),
                y: (y - high / 2.0 + line * 0.78).round(),
                lines,
                main,
            });
        }
        names
    }

    /// The middle of the best room for a name of this size, as far from every border as can be.
    fn room_for(
        &self,
        rings: &[Vec<Spot>],
        (wide, high): (f64, f64),
        main: bool,
        taken: &[[f64; 4]],
    ) -> Option<Spot> {
        const STEP: f64 = 10.0;
        let (w, h) = (self.width(), self.height());
        let edge = |all: fn(f64, f64) -> f64, from: f64, axis: fn(&Spot) -> f64| {
            rings.iter().flatten().map(axis).fold(from, all)
        };
        let (left, right) = (edge(f64::min, w, |p| p.0), edge(f64::max, 0.0, |p| p.0));
        let (top, bottom) = (edge(f64::min, h, |p| p.1), edge(f64::max, 0.0, |p| p.1));
        if !main && (right - left < wide || bottom - top < high) {
            return None;
        }
        let mut best: Option<(f64, Spot)> = None;
        let mut y = top.max(high / 2.0 + 4.0);
        while y < bottom.min(h - high / 2.0 - 3.0) {
            let mut x = left.max(wide / 2.0 + 4.0);
            while x < right.min(w - wide / 2.0 - 3.0) {
                let free = taken.iter().all(|t| {
                    x + wide / 2.0 + 4.0 < t[0]
                        || t[2] < x - wide / 2.0 - 4.0
                        || y + high / 2.0 < t[1]
                        || t[3] < y - high / 2.0
                });
                if free && inside(rings, (x, y)) {
                    // A name is wider than high, so what is beside it counts for less than what is above.
                    let far = distance(rings, (x, y), high / wide);
                    if best.is_none_or(|(d, _)| far > d) {
                        best = Some((far, (x, y)));
                    }
                }
                x += STEP;
            }
            y += STEP;
        }
        let roomy = best
            .filter(|(far, _)| main || *far > high * 0.5)
            .map(|(_, spot)| spot);
        if roomy.is_some() || !main {
            return roomy;
        }
        // Too small, or too crowded: over the middle of it, inside the frame.
        let all = || rings.iter().flatten();
        let sum = all().fold((0.0, 0.0), |s, p| (s.0 + p.0, s.1 + p.1));
        #[expect(
            clippy::cast_precision_loss,
            reason = "outlines have some hundred points"
        )]
        let count = all().count().max(1) as f64;
        let within =
            |at: f64, half: f64, most: f64| at.min(most - half - 4.0).max(half + 4.0).min(most);
        Some((
            within(sum.0 / count, wide / 2.0, w),
            within(sum.1 / count, high / 2.0, h),
        ))
    }
}

/// Keeps what lies where `side` is not negative (Sutherland and Hodgman's way of cutting).
fn halved(spots: Vec<Spot>, side: impl Fn(Spot) -> f64) -> Vec<Spot> {
    let mut kept = Vec::with_capacity(spots.len());
    for (at, here) in spots.iter().enumerate() {
        let before = spots[(at + spots.len() - 1) % spots.len()];
        let (a, b) = (side(before), side(*here));
        if (a < 0.0) != (b < 0.0) {
            let part = a / (a - b);
            kept.push((
                before.0 + (here.0 - before.0) * part,
                before.1 + (here.1 - before.1) * part,
            ));
        }
        if b >= 0.0 {
            kept.push(*here);
        }
    }
    kept
}

/// Puts a ring on the grid, the same for both sides of a border, and leaves out what says nothing.
#[expect(
    clippy::cast_possible_truncation,
    reason = "drawings are some hundred units wide"
)]
fn thinned(ring: &[Spot], grain: f64) -> Vec<(i64, i64)> {
    let mut points: Vec<(i64, i64)> = Vec::with_capacity(ring.len());
    for spot in ring {
        let point = (
            (spot.0 / grain).round() as i64,
            (spot.1 / grain).round() as i64,
        );
        while let [.., a, b] = points.as_slice() {
            let straight = (b.0 - a.0) * (point.1 - b.1) == (b.1 - a.1) * (point.0 - b.0);
            if !straight {
                break;
            }
            points.pop();
        }
        if points.last() != Some(&point) {
            points.push(point);
        }
    }
    while points.len() > 1 && points.first() == points.last() {
        points.pop();
    }
    points
}

fn twice_area(ring: &[(i64, i64)]) -> i64 {
    let next = ring.iter().cycle().skip(1);
    ring.iter()
        .zip(next)
        .map(|(a, b)| a.0 * b.1 - b.0 * a.1)
        .sum()
}

/// How much of the map an outline takes up.
pub fn size_of(rings: &[Vec<Point>]) -> i64 {
    let wide = |(x, y): &Point| (i64::from(*x), i64::from(*y));
    rings
        .iter()
        .map(|ring| twice_area(&ring.iter().map(wide).collect::<Vec<_>>()).abs())
        .max()
        .unwrap_or_default()
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    reason = "drawings are some hundred units wide"
)]
fn write(path: &mut String, ring: &[(i64, i64)], grain: f64) {
    use std::fmt::Write as _;
    let full = |n: i64| (n as f64 * grain).round() as i64;
    let mut at = (full(ring[0].0), full(ring[0].1));
    let _ = write!(path, "M{} {}l", at.0, at.1);
    for (nth, point) in ring[1..].iter().enumerate() {
        let to = (full(point.0), full(point.1));
        for (axis, step) in [to.0 - at.0, to.1 - at.1].into_iter().enumerate() {
            let gap = if step < 0 || (nth == 0 && axis == 0) {
                ""
            } else {
                " "
            };
            let _ = write!(path, "{gap}{step}");
        }
        at = to;
    }
    path.push('Z');
}

fn sides(rings: &[Vec<Spot>]) -> impl Iterator<Item = (Spot, Spot)> {
    rings.iter().flat_map(|ring| {
        ring.iter()
            .copied()
            .zip(ring.iter().copied().cycle().skip(1))
    })
}

fn inside(rings: &[Vec<Spot>], (x, y): Spot) -> bool {
    sides(rings)
        .filter(|(a, b)| (a.1 > y) != (b.1 > y) && x < (b.0 - a.0) * (y - a.1) / (b.1 - a.1) + a.0)
        .count()
        % 2
        == 1
}

/// How far a spot is from the nearest side, where steps to the left and right count `flat` times.
fn distance(rings: &[Vec<Spot>], at: Spot, flat: f64) -> f64 {
    sides(rings)
        .map(|(a, b)| {
            let (ax, ay, bx, by) = (
                (a.0 - at.0) * flat,
                a.1 - at.1,
                (b.0 - at.0) * flat,
                b.1 - at.1,
            );
            let (dx, dy) = (bx - ax, by - ay);
            let along = ((-ax * dx - ay * dy) / (dx * dx + dy * dy).max(1e-9)).clamp(0.0, 1.0);
            (ax + along * dx).hypot(ay + along * dy)
        })
        .fold(f64::INFINITY, f64::min)
}

/// A name in lines that are not too long.
fn broken(name: &str) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in name.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() <= LINE => {
                line.push(' ');
                line.push_str(word);
            }
            Some(_) | None => lines.push(word.to_owned()),
        }
    }
    lines
}
