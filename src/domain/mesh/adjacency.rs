//! Which corners meet at a vertex: the flat table that smoothing, normals and the topology check walk along.
//!
//! In: triangles. Out: for each vertex v the pairs (a, b) of every triangle (v, a, b), in the triangle's own turn, so that
//! v -> a leaves the vertex and b -> v comes back. On a closed, consistently turned mesh the `a`s are just v's neighbours.

/// Corners by vertex.
#[derive(Debug, Clone)]
pub struct Adjacency {
    /// `pairs[offsets[v]..offsets[v + 1]]` belong to vertex v.
    offsets: Vec<u32>,
    pairs: Vec<[u32; 2]>,
}

impl Adjacency {
    /// Sorts corners by vertex. Linear in triangles.
    ///
    /// # Panics
    /// When a triangle names a vertex that is not there, or there are more than 2^32 corners.
    pub fn new(vertex_count: usize, triangles: &[[u32; 3]]) -> Self {
        assert!(u32::try_from(triangles.len() * 3).is_ok(), "corners fit 32 bits");
        let mut offsets = vec![0_u32; vertex_count + 2];
        for triangle in triangles {
            for &vertex in triangle {
                offsets[vertex as usize + 2] += 1;
            }
        }
        for vertex in 2..offsets.len() {
            offsets[vertex] += offsets[vertex - 1];
        }
        let mut pairs = vec![[0_u32; 2]; triangles.len() * 3];
        for &[a, b, c] in triangles {
            for (vertex, pair) in [(a, [b, c]), (b, [c, a]), (c, [a, b])] {
                let next = &mut offsets[vertex as usize + 1];
                pairs[*next as usize] = pair;
                *next += 1;
            }
        }
        offsets.pop();
        Self { offsets, pairs }
    }

    /// Number of vertices.
    pub fn vertex_count(&self) -> usize {
        self.offsets.len() - 1
    }

    /// The pairs (a, b) of the triangles (v, a, b) around a vertex.
    #[inline]
    pub fn around(&self, vertex: u32) -> &[[u32; 2]] {
        let vertex = vertex as usize;
        &self.pairs[self.offsets[vertex] as usize..self.offsets[vertex + 1] as usize]
    }

    /// Whether the triangles around a vertex make one closed fan: the surface is a disc there.
    pub fn is_disc(&self, vertex: u32) -> bool {
        let fan = self.around(vertex);
        let Some(&[first, mut next]) = fan.first() else { return false };
        let mut steps = 1;
        while next != first {
            // At most one triangle may go on from here, and the walk must use all of them.
            let mut onward = fan.iter().filter(|pair| pair[0] == next);
            let Some(pair) = onward.next() else { return false };
            if onward.next().is_some() || steps == fan.len() {
                return false;
            }
            next = pair[1];
            steps += 1;
        }
        steps == fan.len()
    }
}
