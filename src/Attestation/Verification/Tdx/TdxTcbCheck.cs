namespace OpenGradient.Engine.Attestation.Verification.Tdx;

/// <summary>Holds module, quoting enclave and platform against authentic collateral.</summary>
internal sealed class TdxTcbCheck(TdxQuote quote, PckExtension platform, TcbInfo info, QeIdentity enclave, TdxPolicy policy, ReasonList reasons)
{
    private const int ModuleMajor = 1;

    /// <returns>The verdict by Intel's rule, or by the other where the policy asks for that alone; null where something is below every level.</returns>
    public TcbVerdict? Run()
    {
        enclave.Check(quote.QeReport, reasons);
        CheckModule();
        return policy.TcbRule switch
        {
            TdxTcbRule.Intel => Judge(everyComponent: false),
            TdxTcbRule.AllComponents => Judge(everyComponent: true),
            _ => JudgeBoth(),
        };
    }

    private TcbVerdict? JudgeBoth()
    {
        var first = Judge(everyComponent: false);
        Judge(everyComponent: true);
        return first;
    }

    private TcbVerdict? Judge(bool everyComponent)
    {
        var evaluation = new TcbEvaluation(info, enclave, platform, quote.QeReport.Svn, everyComponent);
        var verdict = evaluation.Evaluate(quote.Body.TcbSvn.Span, quote.Body.TcbSvn2, out var missing);
        var rule = everyComponent ? "by all components, " : "";
        if (verdict is null) reasons.Refuse(AttestationCheck.Tcb, $"{rule}{missing} is below every TCB level");
        else if (verdict.Status == TdxTcbStatus.Revoked || !policy.Tcb.Contains(verdict.Status)) reasons.Refuse(AttestationCheck.Tcb, $"{rule}the TCB is {verdict.Status}");
        return verdict;
    }

    private void CheckModule()
    {
        var version = quote.Body.TcbSvn.Span[ModuleMajor];
        if (info.For(version) is not { } module)
        {
            reasons.Refuse(AttestationCheck.Platform, $"the collateral knows no TDX module of version {version}");
            return;
        }

        if (!quote.Body.MrSignerSeam.Span.SequenceEqual(module.Signer)) reasons.Refuse(AttestationCheck.Platform, "MRSIGNERSEAM is not the module identity's");
        var attributes = quote.Body.SeamAttributes.Span;
        // Intel's library asks for zero whatever the mask says.
        if (attributes.ContainsAnyExcept((byte)0) || !Masked.Equal(attributes, module.Mask, module.Attributes))
            reasons.Refuse(AttestationCheck.Platform, "SEAMATTRIBUTES are not the module identity's");
    }
}
