using System.Net;
using System.Net.Http.Headers;
using System.Text;
using OpenGradient.Engine.Formats;
using OpenGradient.Engine.Settlement.Evm;

namespace OpenGradient.Engine.Settlement.Chain;

/// <summary>Where a signer is and whose key it holds. Immutable.</summary>
public sealed record RemoteSignerOptions
{
    /// <summary>Its address, without a path.</summary>
    public required Uri Endpoint { get; init; }

    /// <summary>64 bytes, x ‖ y: the key that pays. The signer knows it by this name, and every answer is checked against it.</summary>
    public required ReadOnlyMemory<byte> PublicKey { get; init; }

    /// <summary>5 s: a hardware module behind the signer takes one; an anchor can wait for it, and a hung one is noticed.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(5);
}

/// <summary>
/// Has transactions signed elsewhere: <c>POST /api/v1/eth1/sign/{public key}</c> as Web3Signer answers it, which hashes what
/// it is sent with Keccak-256. The answer is believed only as far as it is that key's signature over those bytes. Safe for
/// concurrent calls. The <see cref="HttpClient"/> stays the caller's.
/// </summary>
public sealed class RemoteSigner : IPayloadSigner
{
    private const int MaxAnswer = 4096; // 132 characters are expected

    private readonly HttpClient _http;
    private readonly RemoteSignerOptions _options;
    private readonly ISignatureVerifier _verifier;
    private readonly byte[] _publicKey;
    private readonly Uri _sign;

    /// <exception cref="ArgumentException">The public key is not 64 bytes.</exception>
    public RemoteSigner(HttpClient http, RemoteSignerOptions options, ISignatureVerifier verifier)
    {
        if (options.PublicKey.Length != 64) throw new ArgumentException("a public key is 64 bytes, x ‖ y", nameof(options));
        (_http, _options, _verifier) = (http, options, verifier);
        _publicKey = [4, .. options.PublicKey.Span];
        Address = EvmAddress.OfPublicKey(_publicKey);
        _sign = new Uri(options.Endpoint, "/api/v1/eth1/sign/" + Hex.Data(options.PublicKey.Span));
    }

    /// <inheritdoc/>
    public EvmAddress Address { get; }

    /// <summary>Not possible: the signer hashes what it is sent itself.</summary>
    /// <exception cref="NotSupportedException">Always.</exception>
    public byte[] SignDigest(in Hash256 digest) => throw new NotSupportedException("a remote signer signs payloads, not digests");

    /// <inheritdoc/>
    public async ValueTask<byte[]> SignAsync(ReadOnlyMemory<byte> payload, CancellationToken cancellationToken)
    {
        var answer = await AskAsync(payload, cancellationToken).ConfigureAwait(false);
        if (Hex.TryData(answer.Trim().Trim('"')) is not { Length: 65 } signature) throw new TransactionSigningException("the signer's answer is not a signature of 65 bytes");
        if (signature[64] is 27 or 28) signature[64] -= 27;
        if (!_verifier.VerifySecp256k1(_publicKey, Keccak256.Hash(payload.Span), signature))
            throw new TransactionSigningException($"the signer's answer is not a signature by the key of {Address} over this transaction");
        return signature;
    }

    public override string ToString() => $"remote signer of {Address}";

    private async Task<string> AskAsync(ReadOnlyMemory<byte> payload, CancellationToken cancellationToken)
    {
        using var timeout = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        timeout.CancelAfter(_options.Timeout);
        try
        {
            using var content = new StringContent($"{{\"data\":\"{Hex.Data(payload.Span)}\"}}", Encoding.ASCII, new MediaTypeHeaderValue("application/json"));
            using var request = new HttpRequestMessage(HttpMethod.Post, _sign) { Content = content };
            using var response = await _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, timeout.Token).ConfigureAwait(false);
            if (response.StatusCode == HttpStatusCode.NotFound) throw new TransactionSigningException($"the signer does not hold the key of {Address}");
            if (!response.IsSuccessStatusCode) throw new TransactionSigningException($"the signer answers HTTP {(int)response.StatusCode}");
            return await ReadAsync(response, timeout.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw new TransactionSigningException($"the signer does not answer within {_options.Timeout.TotalSeconds} s");
        }
        catch (Exception failure) when (failure is HttpRequestException or IOException)
        {
            throw new TransactionSigningException($"the signer cannot be reached: {failure.Message}", failure);
        }
    }

    private static async Task<string> ReadAsync(HttpResponseMessage response, CancellationToken cancellationToken)
    {
        using var stream = await response.Content.ReadAsStreamAsync(cancellationToken).ConfigureAwait(false);
        var buffer = new byte[MaxAnswer + 1];
        var length = await stream.ReadAtLeastAsync(buffer, buffer.Length, throwOnEndOfStream: false, cancellationToken).ConfigureAwait(false);
        return length <= MaxAnswer ? Encoding.Latin1.GetString(buffer, 0, length) : throw new TransactionSigningException($"the signer's answer is longer than {MaxAnswer} bytes");
    }
}
