using OpenGradient.Engine.Formats;

namespace OpenGradient.Engine.Settlement.Custody;

/// <summary>Judges epochs and what their keys signed, for an audit. Used by one caller at a time.</summary>
public interface IEpochJudge
{
    /// <summary>Takes an epoch's evidence in; empty when it is accepted, otherwise every reason.</summary>
    IReadOnlyList<VerificationReason> Add(ReadOnlyMemory<byte> evidence);

    /// <summary>The epoch's signing key, 65 bytes uncompressed; null when its evidence is unknown.</summary>
    ReadOnlyMemory<byte>? SigningKey(Hash256 epoch);

    /// <summary>Re-checks a statement from its bytes; empty when everything holds.</summary>
    IReadOnlyList<VerificationReason> Verify(ReadOnlyMemory<byte> statement);
}
