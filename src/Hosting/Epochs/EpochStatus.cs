using OpenGradient.Engine.Formats;

namespace OpenGradient.Engine.Hosting.Epochs;

/// <summary>One of this process's epochs.</summary>
/// <param name="Number">Its place among all the epochs of the log, from 1; without settlement, among this process's.</param>
/// <param name="Age">Since its key was made, on the monotonic clock.</param>
/// <param name="Statements">Signed so far.</param>
public sealed record EpochStatus(Epoch Epoch, long Number, DateTimeOffset Begun, TimeSpan Age, long Statements);
