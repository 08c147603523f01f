//! Commands: everything that a person can ask to be changed in a document, as serialisable data with all parameters.
//!
//! The same record serves undo, journal, recipes, effort and audit. `super::decide` says what a command does.

use chrono::{DateTime, Utc};
use glam::{DMat4, DVec2, DVec3};
use serde::{Deserialize, Serialize};

use crate::domain::plane::Plane;
use crate::domain::segmentation::{Code, SegmentId, SegmentState};

use super::document::{ContentHash, VolumeId};
use super::measurement::{MeasurementId, MeasurementShape};
use super::mesh_object::{MeshId, MeshSource, MeshStep};

/// What a person does in the lab; effort is booked by it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum Role {
    /// Segments, refines the mesh, prepares the print.
    #[default]
    Technologist,
    /// Verifies anatomy, signs.
    Radiologist,
    /// States the clinical question, previews.
    Surgeon,
    /// Prints.
    PrintTechnician,
}

/// Who did something, in which role, when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stamp {
    /// Account name of the person.
    pub who: String,
    /// In which role.
    pub role: Role,
    /// When.
    pub when: DateTime<Utc>,
}

/// How new voxels join those that a segment has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum Combine {
    /// The segment becomes the new voxels.
    #[default]
    Replace,
    /// The new voxels are added.
    Add,
    /// The new voxels are taken away.
    Subtract,
    /// Only what is in both stays.
    Intersect,
}

/// Form of the brush.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub enum BrushShape {
    /// A ball.
    Sphere,
    /// A disc in a slice plane, one voxel thick.
    Disc(Plane),
    /// A disc in a plane that is turned out of the anatomical ones, one voxel thick.
    TiltedDisc {
        /// Unit vector across the disc, patient space.
        normal_in_patient: glam::DVec3,
    },
}

/// A brush.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Brush {
    /// Form.
    pub shape: BrushShape,
    /// Radius, mm.
    pub radius_mm: f64,
    /// Takes voxels away instead of adding them.
    pub erase: bool,
}

/// What bounds an edit of voxels.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct EditRule {
    /// Voxels of other segments are not taken.
    pub protect_others: bool,
    /// Only voxels whose value lies between these two, ends included, are changed.
    pub only_within: Option<(f64, f64)>,
}

impl Default for EditRule {
    fn default() -> Self {
        Self { protect_others: true, only_within: None }
    }
}

/// Set operation with another segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum BooleanOp {
    /// Becomes a copy of the other.
    Copy,
    /// Adds the other.
    Union,
    /// Takes the other away.
    Subtract,
    /// Keeps what both have.
    Intersect,
    /// Becomes everything that it is not; the other is not read.
    Invert,
}

/// One edit of a segment's voxels, with all its parameters.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum MaskEdit {
    /// Voxels whose value lies between the two, ends included.
    Threshold {
        /// Lowest value.
        lower: f64,
        /// Highest value.
        upper: f64,
        /// How they join the segment.
        combine: Combine,
    },
    /// A stroke of the brush through these points.
    Stroke {
        /// Centres of the brush, patient space, mm, in the order drawn.
        points_in_patient: Vec<DVec3>,
        /// The brush.
        brush: Brush,
    },
    /// Cuts along the view through a closed outline.
    Scissors {
        /// Outline in normalised device coordinates of the view (x right, y up, both -1 to 1).
        outline_in_ndc: Vec<DVec2>,
        /// Patient space to clip space of the view.
        clip_from_patient: DMat4,
        /// Removes what is inside the outline; else what is outside.
        cut_inside: bool,
        /// Half thickness of the cut around the middle depth of the view (0.5 in clip space: the slice of a slice view), mm;
        /// `None` cuts through everything.
        half_depth_mm: Option<f64>,
        /// Adds the voxels instead of removing them.
        fill: bool,
    },
    /// Keeps the connected part with the most voxels.
    KeepLargest,
    /// Removes the connected part under a point.
    RemovePart {
        /// A point of the part, patient space, mm.
        point_in_patient: DVec3,
    },
    /// Removes connected parts that are smaller than this.
    RemoveSmall {
        /// Smallest volume that stays, mm3.
        min_volume_mm3: f64,
    },
    /// Fills what is enclosed.
    FillHoles,
    /// Grows (positive) or shrinks (negative).
    Margin {
        /// Distance, mm.
        distance_mm: f64,
    },
    /// Combines with another segment of the same volume.
    Boolean {
        /// How.
        op: BooleanOp,
        /// The other segment.
        other: SegmentId,
    },
    /// Removes every voxel.
    Clear,
}

/// Everything that can be asked of a document. New ids are given by `decide`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Command {
    /// Names the case.
    RenameCase {
        /// New name.
        name: String,
    },
    /// Adds a volume whose images the session has loaded; cannot be decided from the words alone.
    AddVolume {
        /// Its name.
        name: String,
        /// Hash of its samples.
        content_hash: ContentHash,
    },
    /// Names a volume.
    RenameVolume {
        /// Which.
        volume: VolumeId,
        /// New name.
        name: String,
    },
    /// Closes a volume with its segments and measurements.
    RemoveVolume {
        /// Which.
        volume: VolumeId,
    },
    /// Makes a new empty segment at the end of the list.
    AddSegment {
        /// The volume whose grid it has.
        volume: VolumeId,
        /// Name; a free one is chosen when empty.
        name: String,
        /// Colour; the next of the palette when `None`.
        color: Option<[u8; 3]>,
    },
    /// Adds segments that were read from a file; cannot be decided from the words alone.
    ReadSegments {
        /// The volume whose grid they have.
        volume: VolumeId,
        /// Their names.
        names: Vec<String>,
    },
    /// Names a segment.
    RenameSegment {
        /// Which.
        segment: SegmentId,
        /// New name.
        name: String,
    },
    /// Colours a segment.
    RecolorSegment {
        /// Which.
        segment: SegmentId,
        /// sRGB.
        color: [u8; 3],
    },
    /// Shows or hides a segment.
    ShowSegment {
        /// Which.
        segment: SegmentId,
        /// Whether it is drawn.
        visible: bool,
    },
    /// Sets how opaque a segment's fill is.
    SetSegmentOpacity {
        /// Which.
        segment: SegmentId,
        /// 0 to 1.
        opacity: f32,
    },
    /// Sets how wide a segment's outline is.
    SetSegmentOutline {
        /// Which.
        segment: SegmentId,
        /// A multiple of the view's, 0 to 4; 0 for none.
        outline: f32,
    },
    /// Locks or unlocks a segment.
    LockSegment {
        /// Which.
        segment: SegmentId,
        /// Whether its voxels refuse edits.
        locked: bool,
    },
    /// Moves a segment in the list.
    ReorderSegment {
        /// Which.
        segment: SegmentId,
        /// Its place afterwards, 0 is first.
        index: usize,
    },
    /// Removes a segment.
    RemoveSegment {
        /// Which.
        segment: SegmentId,
    },
    /// Copies a segment to a place below itself.
    DuplicateSegment {
        /// Which.
        segment: SegmentId,
    },
    /// Says how far the work is.
    SetSegmentState {
        /// Which.
        segment: SegmentId,
        /// How far.
        state: SegmentState,
    },
    /// Says what a segment is.
    SetSegmentCode {
        /// Which.
        segment: SegmentId,
        /// The coded concept; `None` for unknown.
        code: Option<Code>,
    },
    /// Changes the voxels of a segment.
    EditMask {
        /// Which.
        segment: SegmentId,
        /// How.
        edit: MaskEdit,
        /// What bounds it.
        rule: EditRule,
    },
    /// Makes a mesh; its triangles are built afterwards. The revision in the source is set to the present one.
    AddMesh {
        /// Name; made from the source when empty.
        name: String,
        /// What it is the surface of.
        source: MeshSource,
        /// What is done to the raw surface.
        steps: Vec<MeshStep>,
    },
    /// Adds models that were read from a file; cannot be decided from the words alone.
    ReadModels {
        /// The volume that they were laid onto.
        volume: VolumeId,
        /// Their names.
        names: Vec<String>,
    },
    /// Changes the steps of a mesh.
    SetMeshSteps {
        /// Which.
        mesh: MeshId,
        /// The new steps.
        steps: Vec<MeshStep>,
    },
    /// Makes a mesh show what its source is now.
    UpdateMesh {
        /// Which.
        mesh: MeshId,
    },
    /// Names a mesh.
    RenameMesh {
        /// Which.
        mesh: MeshId,
        /// New name.
        name: String,
    },
    /// Colours a mesh.
    RecolorMesh {
        /// Which.
        mesh: MeshId,
        /// sRGB.
        color: [u8; 3],
    },
    /// Shows or hides a mesh.
    ShowMesh {
        /// Which.
        mesh: MeshId,
        /// Whether it is drawn.
        visible: bool,
    },
    /// Removes a mesh.
    RemoveMesh {
        /// Which.
        mesh: MeshId,
    },
    /// Places a measurement.
    AddMeasurement {
        /// The volume it is placed on.
        volume: VolumeId,
        /// What is measured.
        shape: MeasurementShape,
    },
    /// Moves the points of a measurement.
    EditMeasurement {
        /// Which.
        measurement: MeasurementId,
        /// What is measured now.
        shape: MeasurementShape,
    },
    /// Names a measurement.
    RenameMeasurement {
        /// Which.
        measurement: MeasurementId,
        /// New name.
        name: String,
    },
    /// Shows or hides a measurement.
    ShowMeasurement {
        /// Which.
        measurement: MeasurementId,
        /// Whether it is drawn.
        visible: bool,
    },
    /// Several commands as one step; those that would change nothing are passed over.
    Together {
        /// Carried out in order.
        commands: Vec<Command>,
    },
    /// Removes a measurement.
    RemoveMeasurement {
        /// Which.
        measurement: MeasurementId,
    },
}

/// A command with its stamp: one line of the case's record.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Envelope {
    /// Who, in which role, when.
    pub stamp: Stamp,
    /// What was asked for.
    pub command: Command,
}
