//! RT Structure Sets: segments as closed contours on slices, in and out.
//!
//! Out: outlines along the edges of pixels, which give back the very voxels; holes are joined to what is around them by
//! keyholes, which every reader knows. In: contours of any kind that is planar, filled on a given grid by the even-odd rule, so that contours
//! inside others are holes and keyholes work; contours between slices go to the nearest one.
//! Space: patient space (DICOM LPS, mm), as the standard has it.
//!
//! Source: DICOM PS3.3 C.8.8.5, C.8.8.6, C.8.8.8. Not here: points and open contours; both are left out, and said.

pub mod read;
pub mod write;

pub use read::read;
pub use write::write;

/// RT Structure Set Storage.
pub const RTSTRUCT: &str = "1.2.840.10008.5.1.4.1.1.481.3";
/// Closed contours, each filled.
const CLOSED: &str = "CLOSED_PLANAR";
/// Closed contours, those inside others being holes.
const CLOSED_XOR: &str = "CLOSEDPLANAR_XOR";
