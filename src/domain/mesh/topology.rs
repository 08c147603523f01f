//! Whether a mesh is fit to print: closed, manifold, turned outwards, how many parts and handles.
//!
//! In: a mesh. Out: a [`Topology`] that counts every kind of fault. Nothing is changed.
//! Source of the checks: edge and vertex links of a 2-manifold; V - E + F = 2 (parts - genus) for a closed one.
//! Not here: self-intersections; repair.

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::TriangleMesh;
use super::adjacency::Adjacency;
use super::components::{components, part_volumes_mm3};

/// Triangles smaller than this are degenerate.
pub const DEGENERATE_AREA_MM2: f64 = 1e-9;

/// What a mesh is made of, and what is wrong with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Topology {
    /// Vertices that triangles use.
    pub vertices: u64,
    /// Vertices that no triangle uses.
    pub unused_vertices: u64,
    /// Edges.
    pub edges: u64,
    /// Triangles.
    pub triangles: u64,
    /// Edges of one triangle only: the surface has a hole there.
    pub open_edges: u64,
    /// Edges of more than two triangles.
    pub crowded_edges: u64,
    /// Edges whose two triangles turn against each other.
    pub twisted_edges: u64,
    /// Vertices where the surface is not a disc although their edges are sound: sheets that touch in a point.
    pub pinched_vertices: u64,
    /// Triangles without area or with a repeated vertex.
    pub degenerate_triangles: u64,
    /// Triangles with the same vertices as another.
    pub duplicate_triangles: u64,
    /// Connected sheets: bodies and the walls of voids inside them.
    pub parts: u64,
    /// Of these, closed walls that turn inwards: a printer leaves a hollow there.
    #[serde(default)]
    pub voids: u64,
}

impl Topology {
    /// Whether every edge has two triangles.
    pub fn is_closed(&self) -> bool {
        self.triangles > 0 && self.open_edges == 0
    }

    /// Whether every edge has exactly two triangles that turn alike.
    pub fn is_edge_manifold(&self) -> bool {
        self.is_closed() && self.crowded_edges == 0 && self.twisted_edges == 0
    }

    /// Whether the surface is everywhere a disc.
    pub fn is_manifold(&self) -> bool {
        self.is_edge_manifold() && self.pinched_vertices == 0 && self.duplicate_triangles == 0
    }

    /// Handles of all parts together; `None` when the mesh is not manifold.
    pub fn genus(&self) -> Option<u64> {
        let euler = self.vertices as i64 - self.edges as i64 + self.triangles as i64;
        let genus = (2 * self.parts as i64 - euler) / 2;
        (self.is_manifold() && genus >= 0).then_some(genus as u64)
    }

    /// One sentence for people: what it is or what is wrong.
    pub fn sentence(&self) -> String {
        if self.triangles == 0 {
            return "The mesh is empty.".into();
        }
        let faults = [
            (self.open_edges, "open edges"),
            (self.crowded_edges, "edges with more than two triangles"),
            (self.twisted_edges, "edges where the surface turns inside out"),
            (self.pinched_vertices, "points where sheets touch"),
            (self.duplicate_triangles, "double triangles"),
            (self.degenerate_triangles, "triangles without area"),
        ];
        let found: Vec<String> =
            faults.iter().filter(|fault| fault.0 > 0).map(|(count, what)| format!("{count} {what}")).collect();
        if found.is_empty() {
            let bodies = match self.parts - self.voids {
                1 => "one part".into(),
                n => format!("{n} parts"),
            };
            let voids = match self.voids {
                0 => String::new(),
                1 => " with one void inside".into(),
                n => format!(" with {n} voids inside"),
            };
            format!("Closed and manifold, {bodies}{voids}, {} triangles.", self.triangles)
        } else {
            format!("Not sound: {}.", found.join(", "))
        }
    }
}

/// Examines a mesh.
///
/// # Panics
/// When a triangle names a vertex that is not there.
pub fn topology(mesh: &TriangleMesh) -> Topology {
    let adjacency = Adjacency::new(mesh.positions_in_patient.len(), &mesh.triangles);
    let tally = (0..mesh.positions_in_patient.len() as u32)
        .into_par_iter()
        .fold(Tally::default, |tally, vertex| tally.with(&vertex_tally(&adjacency, vertex)))
        .reduce(Tally::default, |a, b| a.with(&b));
    let is_degenerate = |&triangle: &[u32; 3]| {
        let [a, b, c] = mesh.corners(triangle).map(glam::Vec3::as_dvec3);
        (b - a).cross(c - a).length() / 2.0 < DEGENERATE_AREA_MM2
    };
    let parts = components(mesh);
    let is_closed = tally.open == 0 && tally.crowded == 0 && tally.twisted == 0;
    let voids =
        if is_closed { part_volumes_mm3(mesh, &parts).iter().filter(|volume| **volume < 0.0).count() } else { 0 };
    Topology {
        vertices: tally.used,
        unused_vertices: mesh.positions_in_patient.len() as u64 - tally.used,
        edges: tally.edges,
        triangles: mesh.triangles.len() as u64,
        open_edges: tally.open,
        crowded_edges: tally.crowded,
        twisted_edges: tally.twisted,
        pinched_vertices: tally.pinched,
        degenerate_triangles: mesh.triangles.par_iter().filter(|triangle| is_degenerate(triangle)).count() as u64,
        duplicate_triangles: tally.duplicates,
        parts: u64::from(parts.count),
        voids: voids as u64,
    }
}

/// Counts of one vertex, or of many.
#[derive(Default)]
struct Tally {
    used: u64,
    edges: u64,
    open: u64,
    crowded: u64,
    twisted: u64,
    pinched: u64,
    duplicates: u64,
}

impl Tally {
    fn with(self, other: &Self) -> Self {
        Self {
            used: self.used + other.used,
            edges: self.edges + other.edges,
            open: self.open + other.open,
            crowded: self.crowded + other.crowded,
            twisted: self.twisted + other.twisted,
            pinched: self.pinched + other.pinched,
            duplicates: self.duplicates + other.duplicates,
        }
    }
}

/// What is counted at a vertex: itself, its edges to higher vertices, the triangles of which it is the lowest.
fn vertex_tally(adjacency: &Adjacency, vertex: u32) -> Tally {
    let around = adjacency.around(vertex);
    if around.is_empty() {
        return Tally::default();
    }
    let mut tally = Tally { used: 1, ..Tally::default() };
    let mut sound = true;
    let mut neighbours: Vec<u32> = around.iter().flatten().copied().collect();
    neighbours.sort_unstable();
    neighbours.dedup();
    for &other in &neighbours {
        let leaving = around.iter().filter(|pair| pair[0] == other).count();
        let coming = around.iter().filter(|pair| pair[1] == other).count();
        let (open, crowded) = (leaving + coming == 1, leaving + coming > 2);
        let twisted = leaving + coming == 2 && leaving != 1;
        sound &= !(open || crowded || twisted);
        if other > vertex {
            tally.edges += 1;
            tally.open += u64::from(open);
            tally.crowded += u64::from(crowded);
            tally.twisted += u64::from(twisted);
        }
    }
    tally.pinched = u64::from(sound && !adjacency.is_disc(vertex));
    let lowest = || around.iter().filter(|pair| pair[0] > vertex && pair[1] > vertex);
    let mut own: Vec<[u32; 2]> = lowest().map(|&[a, b]| [a.min(b), a.max(b)]).collect();
    let all = own.len();
    own.sort_unstable();
    own.dedup();
    tally.duplicates = (all - own.len()) as u64;
    tally
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tetrahedron() -> TriangleMesh {
        TriangleMesh {
            positions_in_patient: vec![[0.0; 3], [1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]],
            normals: Vec::new(),
            triangles: vec![[0, 2, 1], [0, 1, 3], [1, 2, 3], [2, 0, 3]],
        }
    }

    #[test]
    fn a_tetrahedron_is_sound() {
        let found = topology(&tetrahedron());
        assert!(found.is_manifold(), "{found:?}");
        assert_eq!((found.vertices, found.edges, found.triangles, found.parts), (4, 6, 4, 1));
        assert_eq!(found.genus(), Some(0));
        assert_eq!(found.sentence(), "Closed and manifold, one part, 4 triangles.");
    }

    #[test]
    fn a_wall_that_turns_inwards_is_a_void() {
        let (mut mesh, inner) = (tetrahedron(), tetrahedron());
        mesh.positions_in_patient.iter_mut().flatten().for_each(|x| *x *= 10.0);
        mesh.positions_in_patient.extend(inner.positions_in_patient.iter().map(|p| p.map(|x| x + 1.0)));
        mesh.triangles.extend(inner.triangles.iter().map(|[a, b, c]| [a + 4, c + 4, b + 4]));
        let found = topology(&mesh);
        assert!(found.is_manifold(), "{found:?}");
        assert_eq!((found.parts, found.voids), (2, 1));
        assert_eq!(found.sentence(), "Closed and manifold, one part with one void inside, 8 triangles.");
    }

    #[test]
    fn every_kind_of_fault_is_seen() {
        let mut open = tetrahedron();
        open.triangles.pop();
        let found = topology(&open);
        assert_eq!((found.open_edges, found.is_closed(), found.genus()), (3, false, None));

        let mut twisted = tetrahedron();
        twisted.triangles[0].swap(0, 1);
        assert_eq!(topology(&twisted).twisted_edges, 3);

        let mut crowded = tetrahedron();
        crowded.positions_in_patient.push([1.0, 1.0, 1.0]);
        crowded.triangles.push([0, 1, 4]);
        assert_eq!(topology(&crowded).crowded_edges, 1);

        let mut double = tetrahedron();
        double.triangles.push([1, 3, 0]);
        assert_eq!(topology(&double).duplicate_triangles, 1);

        let mut flat = tetrahedron();
        flat.positions_in_patient[3] = [0.5, 0.5, 0.0];
        assert_eq!(topology(&flat).degenerate_triangles, 1);

        assert_eq!(topology(&TriangleMesh::default()).sentence(), "The mesh is empty.");
    }

    #[test]
    fn two_tetrahedra_that_touch_in_a_point_are_pinched() {
        let (mut mesh, other) = (tetrahedron(), tetrahedron());
        for position in &other.positions_in_patient[1..] {
            mesh.positions_in_patient.push(position.map(|x| -x));
        }
        // A mirrored copy turns the other way round; vertex 0 is shared.
        let moved = |v: u32| if v == 0 { 0 } else { v + 3 };
        mesh.triangles.extend(other.triangles.iter().map(|t| [moved(t[1]), moved(t[0]), moved(t[2])]));
        let found = topology(&mesh);
        assert!(found.is_edge_manifold() && !found.is_manifold(), "{found:?}");
        assert_eq!(found.pinched_vertices, 1);
    }
}
